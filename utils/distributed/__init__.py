"""One run on several processes: who there is, what they exchange, how they are started.

A step's batch is the same for any number of processes; each takes its share of it (:mod:`.dealing`). Losses and
gradients are those of the whole batch (:mod:`.exchange`), so N processes learn what one would.
"""
