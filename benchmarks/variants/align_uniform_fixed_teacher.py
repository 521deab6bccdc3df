"""align_uniform with a random projector on the teacher that does not learn."""

from azeotrope.losses import align_uniform


class Loss(align_uniform.Loss):
    """The same projector as in align_uniform, as it was drawn."""

    def __init__(self, setup):
        super().__init__(setup)
        self.teacher_projector.requires_grad_(False)
