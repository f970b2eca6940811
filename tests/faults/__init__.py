"""The matrix of faults and steps: whatever breaks while a laptop connects, uses its connection or disconnects, no
internal name is seen by the hotel, and the state afterwards is right without help, or fails closed.
"""
