"""The services of the contract that this version does not serve yet.

They are registered all the same, so that reflection shows the whole contract and a caller gets
a reason and the alternative instead of gRPC's bare "Method not found!".
"""

from __future__ import annotations

from typing import Any, NoReturn

from service.errors import NotServedYetError
from triptych.v1 import tokenizer_service_pb2_grpc


def _refuse(method: str, alternative: str) -> NoReturn:
    raise NotServedYetError(
        f"{method}: this server version does not serve it yet; {alternative}", method=method
    )


class TokenizerServicer(tokenizer_service_pb2_grpc.TokenizerServiceServicer):
    """Refuses: comes with the tokenizer's own release."""

    async def Tokenize(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse."""
        _refuse("Tokenize", "Generate accepts text and token_ids")

    async def Detokenize(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse."""
        _refuse("Detokenize", "Generate answers with text")

    async def CountTokens(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse."""
        _refuse("CountTokens", "the first event of Generate tells the prompt's size by part")

    async def RenderPrompt(self, request: Any, context: Any) -> NoReturn:  # noqa: N802
        """Refuse."""
        _refuse("RenderPrompt", "the first event of Generate tells the prompt's size by part")
