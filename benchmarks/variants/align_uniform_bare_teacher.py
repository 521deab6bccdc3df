"""align_uniform without a projector on the teacher: the student's reaches for the teacher's embedding itself."""

from torch import nn

from azeotrope.losses import align_uniform
from azeotrope.losses._embedding import projector


class Loss(align_uniform.Loss):
    """The student's projector is as wide as the teacher's embedding, which is the target as it is."""

    def __init__(self, setup):
        super().__init__(setup)
        self.student_projector = projector(setup.student_features, setup.teacher_features)
        self.teacher_projector = nn.Identity()
