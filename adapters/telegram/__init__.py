"""Telegram channels by the Bot API: posts (``adapter``) and the guided login (``login``)."""
