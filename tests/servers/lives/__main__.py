"""Runs the tests of the modules that are named."""

import sys
import time
import unittest


class Timed(unittest.TextTestResult):
    """Prints each test with the time that it took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        print(f"{time.monotonic() - self.began:6.2f} s {test.id()}")


suite = unittest.defaultTestLoader.loadTestsFromNames([f"lives.{name}" for name in sys.argv[1:]])
outcome = unittest.TextTestRunner(resultclass=Timed).run(suite)
sys.exit(not outcome.wasSuccessful() or not outcome.testsRun)
