"""Rules on files and folders."""

from tiza.taxonomy.rules.rule import Rule, Severity
from tiza.translation import N_

ERROR, WARNING, INFO = Severity

FILE_RULES = (
    Rule(
        "wrong-file-name",
        ERROR,
        N_("{name} is not read: the file of a lesson is called exactly qna.yaml."),
        N_("Rename it to qna.yaml and give it a folder of its own."),
        N_("Any other name, such as qna.yml, would be passed over without a word."),
    ),
    Rule(
        "not-a-file",
        ERROR,
        N_("{name} is not an ordinary file."),
        N_("Rename or remove it; a lesson is a text file called qna.yaml."),
        N_(
            "A folder, a device or a pipe may bear the name of a lesson, but cannot be read as one."
        ),
    ),
    Rule(
        "unreadable-file",
        ERROR,
        N_("The file cannot be read: {reason}."),
        N_("Check that it exists and that you may read it."),
        N_("The system refused to open the file."),
    ),
    Rule(
        "file-too-large",
        ERROR,
        N_("The file has {size} bytes; a lesson may have {limit}."),
        N_("Split the lesson into several folders, and put long texts into a document."),
        N_("A file this large is never a lesson, and reading it would make everybody wait."),
    ),
    Rule(
        "link-outside-tree",
        ERROR,
        N_("{name} is a link to a file outside the taxonomy."),
        N_("Copy the file into the taxonomy instead."),
        N_("A lesson must be the same on every machine, so it lies in the tree itself."),
    ),
    Rule(
        "folder-link",
        WARNING,
        N_("{name} is a link to a folder; its lessons are not read."),
        N_("Copy the folder into the taxonomy instead."),
        N_("Links to folders may run in circles or lead out of the tree."),
    ),
    Rule(
        "outside-branches",
        WARNING,
        N_("The lesson lies in none of the three branches, so its kind is a guess."),
        N_("Move it below knowledge/, compositional_skills/ or foundational_skills/."),
        N_("The top folder decides how a lesson is taught."),
    ),
    Rule(
        "not-utf8",
        ERROR,
        N_("The file is not written in UTF-8: the byte {byte} cannot be read."),
        N_("Open it in your editor and save it with the encoding UTF-8."),
        N_("Old Windows encodings turn accents into other characters on another machine."),
    ),
    Rule(
        "byte-order-mark",
        INFO,
        N_("The file begins with an invisible mark (BOM)."),
        N_("Nothing has to be done; to remove it, save as UTF-8 without BOM."),
        N_("Some Windows editors write it. Tiza reads over it, other programs may not."),
    ),
    Rule(
        "windows-line-endings",
        INFO,
        N_("The lines end as on Windows (CRLF)."),
        N_("Nothing has to be done; to change it, choose LF in your editor."),
        N_("Tiza reads both, but git may show every line as changed."),
    ),
    Rule(
        "trailing-spaces",
        WARNING,
        N_("There are spaces at the end of the line ({count} such lines)."),
        N_("Remove them; most editors do so when they save."),
        N_("They are harmless here, but InstructLab's own checker refuses the file for them."),
    ),
    Rule(
        "tab-in-text",
        WARNING,
        N_("There is a tab in the line."),
        N_("Write a space instead."),
        N_("Nobody sees it, the model learns it, and InstructLab's own checker may refuse it."),
    ),
    Rule(
        "no-final-newline",
        WARNING,
        N_("The last line does not end."),
        N_("Press Enter at the end of the file and save it."),
        N_("It is harmless here, but InstructLab's own checker refuses the file for it."),
    ),
    Rule(
        "lint-error",
        ERROR,
        N_("yamllint: {problem}"),
        N_("Mend the line, or change the rule in the file given by --yaml-rules."),
        N_("Found by yamllint with the rules that --yaml-rules names."),
    ),
    Rule(
        "lint-warning",
        WARNING,
        N_("yamllint advises: {problem}"),
        N_("Mend the line, or change the rule in the file given by --yaml-rules."),
        N_("Found by yamllint with the rules that --yaml-rules names."),
    ),
    Rule(
        "missing-attribution",
        WARNING,
        N_("There is no attribution.txt beside this lesson with a document."),
        N_("Write one: title, link, revision and license of the document, and its authors."),
        N_("Whoever wrote the text that a lesson is taken from is named, and so is the license."),
    ),
    Rule(
        "document-outside-tree",
        ERROR,
        N_("The document {path} leads out of the lesson's tree."),
        N_("Put the document beside qna.yaml and write only its name."),
        N_("A lesson must never read other files of the machine on which it is checked."),
    ),
    Rule(
        "document-unreachable",
        WARNING,
        N_("The document {path} cannot be reached: {reason}."),
        N_("Check the name. Until then only the contexts in the lesson are taught."),
        N_("The lesson still teaches, but nothing can be generated from its document."),
    ),
)
