"""The practice platform: the adapter (``adapter``) and the network that it speaks to over HTTP (``site``)."""
