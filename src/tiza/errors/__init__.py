"""Every error that Tiza raises on purpose.

    TizaError
    ├── SettingsError            a setting has a value that cannot be used
    ├── ModelNotFound            MODEL_PATH or --model names nothing
    │   └── ActiveModelGone      the model that `tiza model use` chose was taken away
    ├── ModelUnreadable          the file is there, no engine can load it
    ├── ModelRefused             a file or folder cannot be worked with; says the problem
    │   ├── WeightsBroken        damaged, cut off, or made to do harm
    │   ├── PickleRefused        a pickle holds more than plain tensors
    │   ├── ModelUnsupported     Tiza does not know how to convert it
    │   ├── AdapterMismatch      the adapter was made for another base
    │   └── BackupBroken         an archive is damaged, or not one of Tiza's
    ├── ModelExists              a new model would overwrite something
    ├── ModelUnnamable           a name cannot be that of a folder in the store
    ├── ModelActive              the model in use would be removed
    ├── ModelNeeded              an adapter's base would be removed
    ├── SpaceMissing             the disk is too full for what would be written
    ├── HubFailed                the hub does not answer, or refuses
    ├── DownloadBroken           a file arrived with another checksum
    ├── HubFilesUnclear          a repository has no files of the usual kind
    ├── MissingExtra             an optional package is not installed
    ├── PortTaken                another program listens there
    ├── KeyNeeded                an engine would listen to the network without a key
    ├── ServiceFailed            the engine or the API ended before it was ready
    ├── EngineSilent             an engine that started answers no question
    ├── PageMissing              the page's libraries were never installed
    ├── LessonError              a lesson cannot be taught; says line, column and rule
    ├── LessonsInvalid           the errors of several lessons
    ├── LessonsMissing           there is no lesson where some were looked for
    ├── TaxonomyNotFound         a path to check does not exist
    ├── LessonExists             a new lesson would overwrite one
    ├── LessonUnplaced           a new lesson's subject or name cannot be used
    ├── LintRulesUnreadable      the file of --yaml-rules is no yamllint configuration
    ├── GitFailed                git is missing, or refuses what was asked
    ├── RunNotFound              no run has that name
    ├── RunBroken                a run's manifest cannot be read
    ├── RunBusy                  another process works on the run
    ├── RunTaken                 a run was made from something else
    ├── CannotWrite              the disk is full, or the folder is closed to us
    ├── PipelineNotFound         --pipeline names none, and no file
    ├── PipelineInvalid          a pipeline's file cannot be used; says line and key
    ├── SamplesInvalid           a line of a JSONL file is no sample
    ├── TeacherError             the teacher cannot be used as it is
    │   ├── TeacherRefused       it does not accept the key
    │   ├── TeacherUnreachable   it does not answer, or too many ask it
    │   └── NoAnswer             it has no usable answer to one request; the run goes on
    ├── DocumentUnreadable       no text can be taken from a lesson's document
    ├── DocumentsMissing         no file in the repository has a name that the lesson asks for
    ├── RepositoryRefused        documents are not fetched from that kind of address
    ├── RepositoryUnreachable    git cannot fetch from the address, or not in time
    ├── CommitUnknown            the repository has no such commit
    ├── RecipeNotFound           no recipe has that name
    ├── RecipeInvalid            a line of a recipe cannot be used
    ├── BaseUnusable             the base model cannot be trained
    ├── TemplateUnusable         the base model's chat template is missing or refuses a sample
    ├── ResourcesShort           not enough memory or disk for what was asked
    ├── TrainingDiverged         the loss is no number any more
    ├── ExamMissing              a run has no questions to examine a model with
    ├── ExamLeaked               a question of the exam is among the training samples
    ├── EngineGone               the endpoint under examination does not answer (any more)
    ├── AnswersRefused           it answers, but not the questions
    ├── GateInvalid              a threshold of the promotion gate cannot be used
    ├── NotPromoted              a taught model did not pass the gate; the old one keeps serving
    ├── HarnessMissing           open benchmarks were asked for and their program is not installed
    ├── HarnessFailed            their program ended without results
    ├── ReportUnreadable         a report was written by another version, or is none
    ├── SecretUnreadable         the file of the server's secret cannot be used
    ├── StoreNewer               the database was written by a newer version
    ├── StoreNotEmpty            a backup is restored into an empty database only
    ├── StoreBroken              the database cannot be used
    └── RequestError             an answer of the API: has a status and a code (see contract)
        ├── InvalidRequest       422 invalid_request
        ├── BodyTooLarge         413 body_too_large
        ├── EncodingRefused      415 unsupported_encoding
        ├── NotFound             404 not_found
        ├── ConversationNotFound 404 not_found: it is nobody's, or another person's
        ├── MessageNotFound      404 not_found: it is nobody's, or another person's
        ├── CursorInvalid        422 invalid_request
        ├── ForeignOrigin        403 forbidden
        ├── KeyReused            422 key_reused
        ├── Unauthenticated      401 unauthenticated
        │   └── SignInFailed     401 unauthenticated: the name or the password is wrong
        ├── LinkWorthless        401 link_worthless: an invitation has expired or was used
        ├── ProviderRefused      401 unauthenticated: signing in at the OpenID provider failed
        ├── ProviderAway         503 provider_unreachable
        ├── Forbidden            403 forbidden
        ├── SignInLocked         429 rate_limited: too many wrong passwords
        ├── NameTaken            409 name_taken
        ├── AccountNotFound      404 not_found
        ├── KeyNotFound          404 not_found: it is nobody's, or another person's
        ├── InvitationNotFound   404 not_found: it is nobody's, or another person's
        ├── StoreUnavailable     503 store_unavailable
        ├── StoreBusy            503 store_busy
        ├── StoreFull            503 store_full
        ├── ModelUnknown         404 model_not_found
        ├── LessonNotFound       404 not_found
        ├── LessonMisplaced      409 lesson_misplaced: outside the tree, or with an odd name
        ├── LessonChanged        412 lesson_changed: somebody else was quicker
        ├── PreconditionMissing  428 precondition_required: a change of no known version
        ├── LessonUnwritable     503 lesson_unwritable
        ├── LessonUneditable     409 lesson_uneditable: its YAML is broken
        ├── StoredModelNotFound  404 model_not_found
        ├── ReportNotFound       404 report_not_found
        ├── ModelFailedExam      409 gate_failed: it needs a confirmation
        ├── ModelPinned          409 model_pinned: MODEL_PATH comes first
        ├── ModelUnusable        409 model_unusable
        ├── StoreReadOnly        409 store_read_only: the models are chosen elsewhere
        ├── TrainingElsewhere    409 training_elsewhere: nothing here to train with
        ├── TrainingBusy         409 run_busy: one at a time
        ├── TrainingRunNotFound  404 not_found
        ├── NothingToGoOnWith    409 run_ended
        ├── MethodNotAllowed     405 method_not_allowed
        ├── RateLimited          429 rate_limited: requests
        │   ├── TokensSpent        429 rate_limited: tokens
        │   └── StreamsTaken       429 rate_limited: answers at the same time
        ├── LimitsUnavailable    503 limits_unavailable
        ├── Overloaded           503 overloaded
        ├── Draining             503 draining
        ├── Interrupted          503 interrupted
        ├── InternalError        500 internal
        └── EngineError          502 engine_error: it answered nonsense
            ├── EngineUnreachable  503 engine_unreachable
            ├── EngineTimeout      504 engine_timeout
            └── EngineLost         502 engine_lost: the connection broke in mid-answer

A class says *what* happened and, in `hint`, *what to do*; the instance carries *where*, as data.
Both sentences are English templates that `translation` turns into the reader's language. Errors are
caught in two places only: the command line's `main` and the API's exception handlers.
"""

from tiza.errors.accounts import (
    AccountNotFound,
    Forbidden,
    InvitationNotFound,
    KeyNotFound,
    LinkWorthless,
    NameTaken,
    ProviderAway,
    ProviderRefused,
    SecretUnreadable,
    SignInFailed,
    SignInLocked,
    Unauthenticated,
)
from tiza.errors.base import Problem, TizaError, fields
from tiza.errors.evaluating import (
    AnswersRefused,
    EngineGone,
    ExamLeaked,
    ExamMissing,
    GateInvalid,
    HarnessFailed,
    HarnessMissing,
    NotPromoted,
    ReportUnreadable,
)
from tiza.errors.generating import (
    CommitUnknown,
    DocumentsMissing,
    DocumentUnreadable,
    NoAnswer,
    PipelineInvalid,
    PipelineNotFound,
    RepositoryRefused,
    RepositoryUnreachable,
    TeacherError,
    TeacherRefused,
    TeacherUnreachable,
)
from tiza.errors.lessons import (
    GitFailed,
    LessonError,
    LessonExists,
    LessonsInvalid,
    LessonsMissing,
    LessonUnplaced,
    LintRulesUnreadable,
    TaxonomyNotFound,
)
from tiza.errors.models import (
    ActiveModelGone,
    AdapterMismatch,
    BackupBroken,
    DownloadBroken,
    HubFailed,
    HubFilesUnclear,
    ModelActive,
    ModelExists,
    ModelNeeded,
    ModelNotFound,
    ModelRefused,
    ModelUnnamable,
    ModelUnreadable,
    ModelUnsupported,
    PickleRefused,
    SpaceMissing,
    WeightsBroken,
)
from tiza.errors.requests import (
    BodyTooLarge,
    Draining,
    EncodingRefused,
    EngineError,
    EngineLost,
    EngineTimeout,
    EngineUnreachable,
    InternalError,
    Interrupted,
    InvalidRequest,
    LimitsUnavailable,
    MethodNotAllowed,
    ModelUnknown,
    NotFound,
    Overloaded,
    RateLimited,
    RequestError,
    StreamsTaken,
    TokensSpent,
)
from tiza.errors.runs import CannotWrite, RunBroken, RunBusy, RunNotFound, RunTaken, SamplesInvalid
from tiza.errors.serving import (
    EngineSilent,
    KeyNeeded,
    MissingExtra,
    PageMissing,
    PortTaken,
    ServiceFailed,
    SettingsError,
)
from tiza.errors.store import (
    ConversationNotFound,
    CursorInvalid,
    ForeignOrigin,
    KeyReused,
    MessageNotFound,
    StoreBroken,
    StoreBusy,
    StoreFull,
    StoreNewer,
    StoreNotEmpty,
    StoreUnavailable,
)
from tiza.errors.teaching import (
    LessonChanged,
    LessonMisplaced,
    LessonNotFound,
    LessonUneditable,
    LessonUnwritable,
    ModelFailedExam,
    ModelPinned,
    ModelUnusable,
    NothingToGoOnWith,
    PreconditionMissing,
    ReportNotFound,
    StoredModelNotFound,
    StoreReadOnly,
    TrainingBusy,
    TrainingElsewhere,
    TrainingRunNotFound,
)
from tiza.errors.training import (
    BaseUnusable,
    RecipeInvalid,
    RecipeNotFound,
    ResourcesShort,
    TemplateUnusable,
    TrainingDiverged,
)

__all__ = [
    "AccountNotFound",
    "ActiveModelGone",
    "AdapterMismatch",
    "AnswersRefused",
    "BackupBroken",
    "BaseUnusable",
    "BodyTooLarge",
    "CannotWrite",
    "CommitUnknown",
    "ConversationNotFound",
    "CursorInvalid",
    "DocumentUnreadable",
    "DocumentsMissing",
    "DownloadBroken",
    "Draining",
    "EncodingRefused",
    "EngineError",
    "EngineGone",
    "EngineLost",
    "EngineSilent",
    "EngineTimeout",
    "EngineUnreachable",
    "ExamLeaked",
    "ExamMissing",
    "Forbidden",
    "ForeignOrigin",
    "GateInvalid",
    "GitFailed",
    "HarnessFailed",
    "HarnessMissing",
    "HubFailed",
    "HubFilesUnclear",
    "InternalError",
    "Interrupted",
    "InvalidRequest",
    "InvitationNotFound",
    "KeyNeeded",
    "KeyNotFound",
    "KeyReused",
    "LessonChanged",
    "LessonError",
    "LessonExists",
    "LessonMisplaced",
    "LessonNotFound",
    "LessonUneditable",
    "LessonUnplaced",
    "LessonUnwritable",
    "LessonsInvalid",
    "LessonsMissing",
    "LimitsUnavailable",
    "LinkWorthless",
    "LintRulesUnreadable",
    "MessageNotFound",
    "MethodNotAllowed",
    "MissingExtra",
    "ModelActive",
    "ModelExists",
    "ModelFailedExam",
    "ModelNeeded",
    "ModelNotFound",
    "ModelPinned",
    "ModelRefused",
    "ModelUnknown",
    "ModelUnnamable",
    "ModelUnreadable",
    "ModelUnsupported",
    "ModelUnusable",
    "NameTaken",
    "NoAnswer",
    "NotFound",
    "NotPromoted",
    "NothingToGoOnWith",
    "Overloaded",
    "PageMissing",
    "PickleRefused",
    "PipelineInvalid",
    "PipelineNotFound",
    "PortTaken",
    "PreconditionMissing",
    "Problem",
    "ProviderAway",
    "ProviderRefused",
    "RateLimited",
    "RecipeInvalid",
    "RecipeNotFound",
    "ReportNotFound",
    "ReportUnreadable",
    "RepositoryRefused",
    "RepositoryUnreachable",
    "RequestError",
    "ResourcesShort",
    "RunBroken",
    "RunBusy",
    "RunNotFound",
    "RunTaken",
    "SamplesInvalid",
    "SecretUnreadable",
    "ServiceFailed",
    "SettingsError",
    "SignInFailed",
    "SignInLocked",
    "SpaceMissing",
    "StoreBroken",
    "StoreBusy",
    "StoreFull",
    "StoreNewer",
    "StoreNotEmpty",
    "StoreReadOnly",
    "StoreUnavailable",
    "StoredModelNotFound",
    "StreamsTaken",
    "TaxonomyNotFound",
    "TeacherError",
    "TeacherRefused",
    "TeacherUnreachable",
    "TemplateUnusable",
    "TizaError",
    "TokensSpent",
    "TrainingBusy",
    "TrainingDiverged",
    "TrainingElsewhere",
    "TrainingRunNotFound",
    "Unauthenticated",
    "WeightsBroken",
    "fields",
]
