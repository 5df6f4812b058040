"""Closed lists of Spanish words that a rewording may rely on."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _pairs(words: str) -> dict[str, str]:
    listed = words.split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


QUESTION_WORDS = _set(
    "qué quién quiénes cuál cuáles cuándo dónde adónde cómo cuánto cuánta cuántos cuántas"
)
PREPOSITIONS = _set(
    "a al ante bajo con contra de del desde durante en entre hacia hasta para por según sin "
    "sobre tras"
)
# Words that begin a clause, or a second question.
CLAUSE = QUESTION_WORDS | _set(
    "que quien quienes cuando donde cual cuales si porque aunque mientras"
)
# Verbs that may open a question without a question word; none of them is also a noun.
VERBS_FIRST = _set(
    "es son era eran fue fueron está están hay había tiene tienen tenía puede pueden puedo "
    "podemos debe deben existe existen lleva llevan sirve sirven pertenece pertenecen necesita "
    "necesitan se hace hacen vive viven"
)
FIELDS = (
    "álgebra|aritmética|astronomía|biología|botánica|economía|filosofía|física|geografía|"
    "geometría|gramática|historia|lingüística|literatura|matemáticas|medicina|música|ortografí "
    "a|política|programación|química"
)
# Verbs that need their place: "¿quién vive en Perú?" is not "en Perú, ¿quién vive?".
BOUND = _set(
    "es son era eran fue fueron está están estaba estaban vive viven vivió vivía nació nacen nace "
    "queda quedan encuentra encuentran cree creen piensa trabaja trabajan trabajó entra entran "
    "llega llegan llegó murió ocurre hay consiste situado situada escrito escrita qué quién cuál"
)
# Words that make a phrase no term: "lo mejor", "el primer día", "una buena idea".
NO_TERM = _set(
    "mejor peor mayor menor más menos buen buena bueno mal mala malo primer primera primero "
    "último última otro otra posible probable importante principal normal habitual adecuado "
    "adecuada correcto correcta próximo próxima siguiente mismo misma y o e u no en con para por "
    "según llamado llamada hecho hecha usado usada nuevo nueva"
)
# What "¿cómo se …?" may ask of anybody, with its infinitive: actions, and nothing nature does.
INFINITIVES = _pairs(
    "añade añadir calcula calcular comprueba comprobar crea crear define definir escribe escribir "
    "mide medir muestra mostrar obtiene obtener resuelve resolver sabe saber usa usar utiliza "
    "utilizar"
)
COMMANDS = _pairs(
    "acorta acortar calcula calcular cambia cambiar compara comparar completa completar convierte "
    "convertir corrige corregir cuenta contar da dar define definir describe describir di decir "
    "dime decirme enumera enumerar escribe escribir explica explicar explícame explicarme haz "
    "hacer indica indicar lista listar menciona mencionar muestra mostrar muéstrame mostrarme "
    "nombra nombrar ordena ordenar pasa pasar pon poner prepara preparar redacta redactar reduce "
    "reducir reescribe reescribir resume resumir señala señalar suma sumar traduce traducir "
    "transforma transformar"
)


def of(phrase: str) -> str:
    """Return the phrase after "de", which "el" melts into: "del núcleo", "de la célula"."""
    return f"del {phrase[3:]}" if phrase.startswith("el ") else f"de {phrase}"
