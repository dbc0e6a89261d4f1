"""The average head: tissue maps and the nuclei's shapes, for simulation and atlas alike."""
