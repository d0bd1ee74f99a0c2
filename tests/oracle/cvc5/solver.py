"""cvc5 as a program that reads SMT-LIB, for machines on which it is a package of Python: the package has no program.

Options are those of cvc5, as `--tlimit-per=60000`.
"""

import sys

import cvc5


def commands(stream):
    """Each command of the stream, as soon as its parentheses are balanced."""
    text, depth, quote, comment = [], 0, None, False
    for line in stream:
        for letter in line:
            if comment:
                comment = letter != "\n"
                continue
            if quote:
                quote = None if letter == quote else quote
            elif letter in '"|':
                quote = letter
            elif letter == ";":
                comment = True
                continue
            depth += 0 if quote else (letter == "(") - (letter == ")")
            text.append(letter)
            if letter == ")" and depth == 0 and not quote:
                yield "".join(text).strip()
                text = []


class Session:
    """What a solver knows since the last `(reset)`."""

    def __init__(self, options):
        terms = cvc5.TermManager()
        self.solver = cvc5.Solver(terms)
        self.symbols = cvc5.SymbolManager(terms)
        for name, value in options:
            self.solver.setOption(name, value)

    def run(self, text):
        """Carries out commands, and returns what is said."""
        parser = cvc5.InputParser(self.solver, self.symbols)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "stdin")
        said = []
        while not (command := parser.nextCommand()).isNull():
            answer = command.invoke(self.solver, self.symbols)
            said.append(answer if isinstance(answer, str) else answer.decode())
        return "".join(said)


def main():
    """Answers until the input ends."""
    written = [word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--") and "=" in word]
    session = Session(written)
    for text in commands(sys.stdin):
        if text.strip("() ") == "exit":
            return
        if text.strip("() ") == "reset":
            session = Session(written)
            continue
        try:
            said = session.run(text)
        except RuntimeError as error:
            said = '(error "{}")\n'.format(" ".join(str(error).replace('"', "'").split()))
        sys.stdout.write(said)
        sys.stdout.flush()


main()
