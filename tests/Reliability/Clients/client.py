"""Reads one URL per line, as "http.client URL" or "urllib URL", and prints the outcome: whole, cut or early."""
import http.client
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

trusting = ssl._create_unverified_context()


def by_http_client(url):
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.netloc, context=trusting)
    else:
        connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", parts.path + "?" + parts.query)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def by_urllib(url):
    with urllib.request.urlopen(url, context=trusting if url.startswith("https") else None) as response:
        response.read()
        return response.status


for line in sys.stdin:
    way, url = line.split()
    try:
        status = by_http_client(url) if way == "http.client" else by_urllib(url)
        print("whole" if status == 200 else "early", flush=True)
    except urllib.error.HTTPError:
        print("early", flush=True)
    except (http.client.HTTPException, OSError):
        print("cut", flush=True)
