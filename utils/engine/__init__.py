"""The one training loop. It names no model; see :class:`utils.protocol.Task` for what it asks of one."""
