"""Edits of a DXF document made by code: what a drawing may go through between two files that show one part.

They work on any drawing, generated or real: nothing is known of a sheet but its entities.

draft.py         a document that is being edited; it keeps the book on what was done to it, and where
features.py      the part itself: repeated things resized, removed, added; a region moved, resized, cut out
annotations.py   words, dimensions, the title block
spelling.py      the same sheet written differently: blocks opened, polylines cut and joined, another order of handles
whole_sheet.py   turned, mirrored, in inches
recipes.py       which of these make a revision, and which come of saving from another program
"""
