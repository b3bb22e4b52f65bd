"""Ask a question about a picture: `python ask_about_picture.py localhost:50051 photo.jpg`."""

import sys

from triptych_client import Client

target, picture = sys.argv[1:]
with Client(target) as client:
    generation = client.generate("What is in this picture?", images=[picture])
    for text in generation:
        print(text, end="", flush=True)
    print(f"\n{generation.usage.prompt_image_tokens} tokens for the picture")
