"""The bundled demo model: its drawings, its sounds, its training and its evaluation."""
