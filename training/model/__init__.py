"""The acoustic model, its losses and its teacher."""
