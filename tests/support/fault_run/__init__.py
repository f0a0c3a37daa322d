"""Load on a distributed platform while its processes and engines fail, and what became of every message.

Words. A *fault* breaks something and mends it. A *send* is one message, repeated with its request_id until it is
answered. A send is *settled* when it is answered and every subscriber has it.
"""
