"""Coverage-guided fuzzing of everything that reads what people write (`make fuzz`)."""
