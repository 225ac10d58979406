"""Language models, sentences, pseudo-labels and synthetic speech."""
