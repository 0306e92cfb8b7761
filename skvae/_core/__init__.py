"""Shared by several rooms of the house, and knowing none of them."""
