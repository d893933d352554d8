"""When an archive is asked what its drawings have in common, and how many of them."""

ASKED = 500  # drawings at most, evenly chosen: what is in more than a few in a hundred, so many show
FEWEST = 30  # drawings that can say it; of a smaller archive those of the training do
GROWTH = 2.0  # by which factor an archive grows or shrinks before it is asked again
