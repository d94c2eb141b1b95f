"""The labeller: a small server for one person on their own machine, and its page.

journal   every answer, kept before it is acknowledged
sheet     the label file of one film while it is being changed
film      one film at the desk: its frames, answers, proposals
desk      what a person does: pages, answers, undo, audit; knows nothing of the web
server    the desk over HTTP, to this machine only
page/     what the browser shows
"""
