"""Read, check, compare and create lessons (`qna.yaml`); knows no model."""
