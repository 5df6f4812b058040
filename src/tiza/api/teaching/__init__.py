"""What teachers do: write lessons, choose models, start trainings and watch them."""
