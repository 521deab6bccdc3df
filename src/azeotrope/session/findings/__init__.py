"""What a person should see of their images beside the numbers: cautions, suspects, disagreements."""
