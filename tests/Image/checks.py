"""What the tests of the image share: counting, and waiting."""

import subprocess
import sys
import time


class Checks:
    """Counts what holds and what does not, a line each."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def that(self, name, holds, detail=""):
        if holds:
            self.passed += 1
            print(f"ok      {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {name}", flush=True)
            for line in str(detail).strip().splitlines()[-25:]:
                print(f"        {line}", flush=True)
        return bool(holds)

    def equal(self, name, expected, actual):
        return self.that(name, expected == actual, f"expected {expected!r}\nfound    {actual!r}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)

    def figure(self, name, value):
        print(f"        {name}: {value}", flush=True)

    def end(self):
        """The last line, and the exit code."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def wait_for(what, condition, patience, pause=0.2):
    """Asks until it is so. Answers with what the condition said, or ends with an error after the patience in seconds."""
    deadline = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about within {patience} seconds")
        time.sleep(pause)


def output(*command, check=True, **options):
    """What a command printed, errors too."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stdout}")
    return done.stdout.strip()


def first_page(address):
    """The page that a browser comes to, or None."""
    done = subprocess.run(["curl", "-sL", "--connect-timeout", "30", "--max-time", "180", "--header", "Accept: text/html", address], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 and "<html" in done.stdout else None
