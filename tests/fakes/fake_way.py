"""The way of a request on fakes, from the prompt to the answer."""

from __future__ import annotations

from service.admission import Admission, AdmissionLimits
from service.embedder import Embedder
from service.generator import Generator
from service.prober import Prober
from service.prompt_visits import PromptVisits
from service.prompter import Prompter
from service.rpc.serving import LoadedModel
from tests.fakes.fake_engine import PLACEHOLDER_IDS, FakeEngine
from tests.fakes.fake_media_preparer import FakeMediaPreparer
from tests.fakes.fake_renderer import MEDIUM_MARKS, FakeRenderer
from tests.fakes.fake_session_media import FakeSessionMedia
from tests.fakes.fake_structure_tester import FakeStructureTester
from tests.fakes.fake_tokenizer import FakeTokenizer

_FIRST_SPECIAL_ID = 256


class MarkTokenizer(FakeTokenizer):
    """Has the renderer's marks at the ids that the fake engine expects."""

    def __init__(self) -> None:
        filler = [f"<|{index}|>" for index in range(_FIRST_SPECIAL_ID, PLACEHOLDER_IDS[0])]
        super().__init__([*filler, *MEDIUM_MARKS.values()])


class FakeWay:
    """All parts, wired as the composition root wires the real ones."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.tokenizer = MarkTokenizer()
        self.preparer = FakeMediaPreparer()
        self.prompter = Prompter(self.engine, self.tokenizer, self.preparer, FakeRenderer())
        self.admission = Admission(AdmissionLimits(100, 100, 10_000))
        self.structures = FakeStructureTester()
        self.generator = Generator(
            self.engine, self.tokenizer, self.prompter, self.admission, self.structures
        )
        self.embedder = Embedder(self.engine, self.prompter, self.admission)
        self.prober = Prober(self.prompter, self.preparer)
        self.session_media = FakeSessionMedia()

    def loaded(self, **others: object) -> LoadedModel:
        """Return it as a model to serve; `others` take the places of its parts."""
        parts = {
            "description": self.engine.model,
            "prompt_format": FakeRenderer.prompt_format,
            "generator": self.generator,
            "embedder": self.embedder,
            "prober": self.prober,
            "prompter": PromptVisits(self.prompter, self.admission),
            "tokenizer": self.tokenizer,
            "placeholders": MEDIUM_MARKS,
            "session_media": self.session_media,
        }
        return LoadedModel(**(parts | others))
