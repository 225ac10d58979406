"""Whether the service in this container is ready: exit status 0, or 1 with what it said.

A store that is away leaves it ready: it still turns recordings into text.
"""

import os
import sys
import urllib.error
import urllib.request

direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says
address = f"http://127.0.0.1:{os.environ.get('OTOSCOPE_PORT') or 8000}/health/ready"
try:
    with direct.open(address, timeout=8) as answer:
        sys.stdout.write(answer.read().decode())
except urllib.error.HTTPError as error:
    sys.exit(error.read().decode())
except OSError as error:
    sys.exit(f"{address}: {error}")
