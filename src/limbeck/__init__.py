"""limbeck: dataset distillation."""
