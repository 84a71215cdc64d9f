"""Systems that train the same model on the same ids, each in an environment of its own.

    python -m peers.training.SYSTEM TASK.json        (the task and the answer: `clock.py`)

Peers import nothing of the project and nothing but the standard library from here.
"""
