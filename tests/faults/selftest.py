def run():
    return 0, 0
