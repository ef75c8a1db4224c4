"""The engine's process: run by path, so that nothing but what is installed can be imported.

Its arguments are folders of packages, for an interpreter that does not find them by itself.
"""

import sys

sys.path += [folder for folder in sys.argv[1:] if folder not in sys.path]

from brokercert.door.child import main

if __name__ == "__main__":
    sys.exit(main())
