"""The command line of vLLM, to the last flag, and when it is chosen."""

import sys
from pathlib import Path

import pytest

from tests.engines.processes import Install
from tiza.engines import vllm
from tiza.engines.choose import choose
from tiza.engines.engine import Address
from tiza.engines.gpus import Gpu
from tiza.errors import MissingExtra, ModelUnreadable
from tiza.models.find import Model
from tiza.models.lineup import Adapter, Lineup
from tiza.settings import Settings

T4 = Gpu("Tesla T4", 15360, (7, 5))
P100 = Gpu("Tesla P100", 16384, (6, 0))
H100 = Gpu("NVIDIA H100", 81559, (9, 0))
HERE = Address("127.0.0.1", 8080, "a-secret-key")
FOLDER = Path("/models/samples_0")
MODEL = Lineup(Model("samples_0", FOLDER / "model.gguf", FOLDER))


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without vLLM: neither beside this Python nor on PATH."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def program(install: Install) -> str:
    """Install a program called vllm."""
    return str(install("vllm", "exit 0"))


def settings(**given: object) -> Settings:
    """Make settings that no environment and no file has a say in."""
    return Settings.model_construct(**{**Settings.model_construct().model_dump(), **given})


def test_build_makes_the_exact_command_when_there_is_one_gpu(program: str) -> None:
    """The original design's settings are flags of `vllm serve`, under their own names."""
    engine = vllm.build(MODEL, settings(), HERE, [T4], 1)

    assert engine.kind == "vLLM"
    assert engine.model == "samples_0"
    assert " ".join(engine.command) == (
        f"{program} serve /models/samples_0 --served-model-name samples_0 "
        "--host 127.0.0.1 --port 8080 --dtype auto --max-model-len 4096 "
        "--tensor-parallel-size 1 --gpu-memory-utilization 0.85 --attention-backend FLASHINFER"
    )


def test_build_follows_the_settings_when_they_are_given(program: str) -> None:
    """Memory, context, number format and address come from the settings."""
    chosen = settings(vllm_gpu_memory=0.5, vllm_max_model_len=8192, vllm_dtype="bfloat16")

    line = " ".join(vllm.build(MODEL, chosen, Address("::1", 9000), [T4], 1).command)

    assert "--gpu-memory-utilization 0.5" in line
    assert "--max-model-len 8192" in line
    assert "--dtype bfloat16" in line
    assert "--host ::1 --port 9000" in line


def test_build_spreads_the_model_when_there_are_several_gpus(program: str) -> None:
    """More GPUs are used by tensor parallelism."""
    command = vllm.build(MODEL, settings(), HERE, [H100, H100], 2).command

    assert command[command.index("--tensor-parallel-size") + 1] == "2"
    assert "FLASHINFER" in command


@pytest.mark.parametrize(
    ("seen", "gpus", "flashinfer"),
    [([T4], 1, True), ([P100], 1, False), ([H100, P100], 2, False), ([H100, P100], 1, True)],
)
def test_build_asks_for_flashinfer_when_every_used_gpu_has_it(
    program: str, seen: list[Gpu], gpus: int, flashinfer: bool
) -> None:
    """One old GPU among those in use is enough for vLLM's own choice."""
    command = vllm.build(MODEL, settings(), HERE, seen, gpus).command

    assert ("--attention-backend" in command) is flashinfer


def test_build_leaves_out_the_gpu_flags_when_there_is_none(program: str) -> None:
    """On a CPU vLLM gets an amount of memory, for a share would be of the whole machine's."""
    command = vllm.build(MODEL, settings(), HERE, [], 1).command

    assert "--gpu-memory-utilization" not in command
    assert command[command.index("--kv-cache-memory-bytes") + 1] == str(4 * 1024**3)
    assert "--attention-backend" not in command


def test_build_hides_the_key_when_there_is_one(program: str) -> None:
    """The key travels in the environment: other users see the command line."""
    engine = vllm.build(MODEL, settings(), HERE, [T4], 1)

    assert not [part for part in engine.command if "a-secret-key" in part or "api-key" in part]
    assert engine.address.environment == {"VLLM_API_KEY": "a-secret-key"}
    assert Address("127.0.0.1", 8080).environment == {}


def test_build_serves_the_file_when_the_model_is_only_a_gguf(program: str) -> None:
    """A model without safetensors is served from its GGUF."""
    model = Lineup(Model("samples_0", FOLDER / "model.gguf", None))

    assert vllm.build(model, settings(), HERE, [T4], 1).command[2] == "/models/samples_0/model.gguf"


def adapter(folder: Path, rank: int) -> Adapter:
    """Put an adapter of that rank there, as peft writes it."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text(f'{{"r": {rank}}}')
    return Adapter(folder.name, None, folder)


def test_build_serves_adapters_beside_their_base_when_there_are_some(
    program: str, tmp_path: Path
) -> None:
    """Each under its own name, with room for the widest; vLLM takes certain ranks only."""
    poet, pirate = adapter(tmp_path / "poet", 4), adapter(tmp_path / "pirate", 24)
    lineup = Lineup(MODEL.base, (poet, pirate, Adapter("gguf-only", FOLDER, None)), pirate)

    engine = vllm.build(lineup, settings(), HERE, [T4], 1)

    assert (engine.model, engine.base, engine.adapters) == (
        *("pirate", "samples_0"),
        ("poet", "pirate"),
    )
    assert " --served-model-name samples_0 " in " ".join(engine.command)
    assert " ".join(engine.command).endswith(
        "--enable-lora --max-loras 2 --max-lora-rank 32 "
        f"--lora-modules poet={tmp_path}/poet pirate={tmp_path}/pirate"
    )


def test_build_keeps_a_place_for_adapters_empty_when_there_is_no_gpu(
    program: str, tmp_path: Path
) -> None:
    """Without a GPU, vLLM takes the last place for the base; whatever lies there would answer."""
    poets = tuple(adapter(tmp_path / f"poet-{number}", 8) for number in range(6))

    command = vllm.build(Lineup(MODEL.base, poets), settings(), HERE, [], 1).command

    assert command[command.index("--max-loras") + 1] == "7"


def test_build_refuses_when_the_chosen_adapter_is_not_in_peft_s_format(program: str) -> None:
    """A GGUF adapter alone is not vLLM's kind of file."""
    chosen = Adapter("pirate", FOLDER / "adapter.gguf", None)

    with pytest.raises(ModelUnreadable, match=r"vLLM cannot load .*adapter\.gguf"):
        vllm.build(Lineup(MODEL.base, (chosen,), chosen), settings(), HERE, [T4], 1)


def test_build_prefers_the_program_beside_python_when_there_are_two(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vLLM of this environment comes before another one on PATH."""
    beside = tmp_path / "venv" / "vllm"
    beside.parent.mkdir()
    beside.touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))

    assert vllm.build(MODEL, settings(), HERE, [], 1).command[0] == str(beside)


def test_build_names_the_command_when_vllm_is_missing() -> None:
    """Who asks for vLLM without having it learns how to get it."""
    with pytest.raises(MissingExtra, match=r"vLLM is not installed\..*pip install vllm"):
        vllm.build(MODEL, settings(), HERE, [T4], 1)


def test_choose_takes_vllm_when_it_is_installed_and_a_gpu_is_seen(
    program: str, install: Install
) -> None:
    """`auto` uses the GPU."""
    install("nvidia-smi", "echo 'Tesla T4, 15360, 7.5'")

    engine = choose("auto", MODEL, settings(), HERE)

    assert engine.kind == "vLLM"
    assert "FLASHINFER" in engine.command


def test_choose_takes_llama_cpp_when_there_is_no_gpu(program: str) -> None:
    """`auto` without a GPU runs on the processor, though vLLM is installed."""
    assert choose("auto", MODEL, settings(), HERE).kind == "llama.cpp"


def test_choose_takes_llama_cpp_when_vllm_is_not_installed(install: Install) -> None:
    """`auto` with a GPU but without vLLM still serves."""
    install("nvidia-smi", "echo 'Tesla T4, 15360, 7.5'")

    assert choose("auto", MODEL, settings(), HERE).kind == "llama.cpp"


def test_choose_takes_what_is_asked_for_when_the_machine_would_have_another(
    program: str, install: Install
) -> None:
    """A named engine is taken, GPU or not."""
    assert choose("vllm", MODEL, settings(), HERE).kind == "vLLM"
    install("nvidia-smi", "echo 'Tesla T4, 15360, 7.5'")
    assert choose("llama.cpp", MODEL, settings(), HERE).kind == "llama.cpp"


def test_choose_fails_when_llama_cpp_has_no_gguf() -> None:
    """Safetensors alone are not llama.cpp's kind of file, and the error says so."""
    with pytest.raises(ModelUnreadable, match=r"llama\.cpp cannot load /models/samples_0"):
        choose("llama.cpp", Lineup(Model("samples_0", None, FOLDER)), settings(), HERE)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104  # named, not bound
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("localhost", "http://localhost:8080"),
        ("10.0.0.5", "http://10.0.0.5:8080"),
    ],
)
def test_url_reaches_the_engine_from_this_machine_when_it_listens_anywhere(
    host: str, url: str
) -> None:
    """An engine that listens on every address is asked on loopback, in the same family."""
    assert Address(host, 8080).url == url
