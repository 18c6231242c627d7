"""What is judged besides the workloads: sides, fences, stalls, mirror, filesystem, legs.

Pure: the input is what real tools printed, or values that the engine measured.
"""
