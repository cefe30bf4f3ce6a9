"""What the end to end tests stand on: private daemons, clients of our own, and waiting for events.

Python's standard library only. One module per neighbour of policyd: postfix, redis, smtp, policy_client, policyd.
"""
