"""llama-cpp-python's server with a chat format more, `calls`: every answer is a call, whose arguments the model writes.

Its own formats leave the functions of a streamed request out unless one of them is demanded, so that the model could
only talk. Here the model picks one of the functions, and then writes arguments in the form of that function's schema,
or as far as it comes. Run by the Python of the server's environment, with the arguments of `python -m llama_cpp.server`.
"""

from __future__ import annotations

import json
from typing import Any

from llama_cpp import LlamaGrammar
from llama_cpp import llama_chat_format as formats
from llama_cpp.llama_grammar import JSON_GBNF
from llama_cpp.server.__main__ import main

SAMPLING = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "repeat_penalty", "model")
"""What of a request goes on to the writing of the arguments."""


@formats.register_chat_completion_handler("calls")
def calls(*, llama: Any, messages: list[Any], tools: list[Any], stream: bool = False, **options: Any) -> Any:
    """The answer to a request with functions."""
    schemas = {tool["function"]["name"]: json.dumps(tool["function"]["parameters"]) for tool in tools}
    prompt = conversation(messages, schemas)
    picked = llama.create_completion(prompt, grammar=one_of(list(schemas)), max_tokens=32, temperature=1.0)
    name = picked["choices"][0]["text"]
    name = name if name in schemas else next(iter(schemas))
    sampling = {key: options[key] for key in SAMPLING if key in options}
    written = llama.create_completion(
        f"{prompt}{name}\n", grammar=form_of(schemas[name]), stop=["<|im_end|>"], stream=stream, **sampling
    )
    return formats._convert_completion_to_chat_function(name, written, stream)


def conversation(messages: list[Any], schemas: dict[str, str]) -> str:
    """The messages as the model's own format has them, with the functions behind the rules."""
    parts = []
    for message in messages:
        text = message.get("content") or ""
        if message["role"] == "system":
            text += "\n\nFunctions and their arguments:\n" + "\n".join(f"{n}\n{s}" for n, s in schemas.items())
        for call in message.get("tool_calls") or ():
            text += f"{call['function']['name']}\n{call['function']['arguments']}"
        parts.append(f"<|im_start|>{message['role']}\n{text}<|im_end|>\n")
    return "".join(parts) + "<|im_start|>assistant\n"


def one_of(names: list[str]) -> LlamaGrammar:
    """The grammar of a function's name."""
    return LlamaGrammar.from_string("root ::= " + " | ".join(f'"{name}"' for name in names), verbose=False)


def form_of(schema: str) -> LlamaGrammar:
    """The grammar of arguments; of any JSON where the server cannot read the schema."""
    try:
        return LlamaGrammar.from_json_schema(schema, verbose=False)
    except Exception:  # noqa: BLE001 - whatever it raises
        return LlamaGrammar.from_string(JSON_GBNF, verbose=False)


if __name__ == "__main__":
    main()
