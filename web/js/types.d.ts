/**
 * The nouns of the page, known in every module. Types only: the browser never loads this file.
 */

type Language = "en" | "es";

/** Names one entry of the catalogues in `i18n/`. */
type Key =
  | keyof typeof import("../i18n/en.json")
  | keyof typeof import("../i18n/account.en.json")
  | keyof typeof import("../i18n/sign-in.en.json")
  | keyof typeof import("../i18n/feedback.en.json")
  | keyof typeof import("../i18n/lessons.en.json")
  | keyof typeof import("../i18n/models.en.json")
  | keyof typeof import("../i18n/stats.en.json");

/** Fill the places of an entry; where it has plural forms, `count` chooses. */
type Values = Record<string, string | number>;

type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;

type Theme = "system" | "light" | "dark" | "contrast";

/** What can be shown instead of the chat. */
type ViewName = "lessons" | "models" | "stats" | "account" | "sign-in";

/** Where the reader is; `rest` says where in the view, for the chat in which conversation. */
interface Address {
  view: ViewName | "chat";
  rest: string;
}

type Health = "connected" | "degraded" | "offline";

interface SseEvent {
  type: string;
  data: string;
  id: string;
}

/** Where to ask for an answer, or where to go on reading one. */
interface AnswerRequest {
  path: string;
  body: object;
  /** Makes sending it again harmless. */
  key: string;
  place: Place;
}

/** How far an answer has been read; empty before its beginning. */
interface Place {
  streamId: string;
  eventId: string;
}

/** What the server says of a finished answer. */
interface AnswerReport {
  response: string;
  model: string;
  tokens_used?: number;
  prompt_tokens?: number;
  completion_tokens?: number;
  latency_seconds?: number;
  truncated?: boolean;
  cached?: boolean;
  finish_reason?: string;
}

interface AnswerStart {
  model: string;
  stream_id: string;
  question_id?: string;
}

/** What is told of an answer before it is there. */
interface AnswerState {
  /** The place in the queue; 0: it is being answered. */
  queue?: number;
  /** It is written for others who asked the same, too. */
  shared?: boolean;
}

type AnswerEvent =
  | { type: "start"; id: string; start: AnswerStart }
  | { type: "token"; id: string; text: string }
  | { type: "state"; id: string; state: AnswerState }
  | { type: "done"; id: string; report: AnswerReport };

/** The contract's codes, and the two that only this side can notice. */
type FailureCode =
  | "invalid_request"
  | "body_too_large"
  | "unauthenticated"
  | "forbidden"
  | "rate_limited"
  | "engine_unreachable"
  | "overloaded"
  | "draining"
  | "engine_timeout"
  | "engine_error"
  | "engine_lost"
  | "interrupted"
  | "store_unavailable"
  | "not_found"
  | "internal"
  | "offline"
  | "connection_lost";

interface Failure {
  code: FailureCode;
  retryable: boolean;
  /** When trying again makes sense, in milliseconds since 1970. */
  retryAt?: number;
  /** The request's id, by which an operator finds it in the log. */
  reference?: string;
}

interface Exchange extends Place {
  /** The request's, so that it is answered once however often it is sent. */
  key: string;
  /** The answer that was asked after; empty at the beginning. */
  parent: string;
  /** Where to ask for the rest of an answer, or for another one; empty for the first. */
  again: string;
  question: string;
  /** By which the server knows the question; empty until it said so. */
  questionId: string;
  /** One of the versions that are seen now. */
  shown: boolean;
  /** The language of the page when it was asked. */
  language: Language;
  /** As far as it has come. */
  answer: string;
  state: "pending" | "done" | "stopped" | "failed";
  model: string;
  /** Older turns did not go along. */
  truncated: boolean;
  /** The rest of the report is the answer itself. */
  report?: Omit<AnswerReport, "response">;
  failure?: Failure;
  /** The server brought the answer to this end: it can only be continued or written anew. */
  ended: boolean;
  /** What the reader said of it, when the server was last asked. */
  feedback?: Feedback | null;
}

/** A message as the server keeps it. */
interface KeptMessage {
  id: string;
  parent_id: string | null;
  role: "user" | "assistant";
  text: string;
  state: "streaming" | "complete" | "stopped" | "interrupted" | "failed";
  model: string;
  parameters: { language?: Language };
  prompt_tokens: number | null;
  completion_tokens: number | null;
  latency_seconds: number | null;
  finish_reason: string;
  truncated: boolean;
  cached: boolean;
  error: string;
  feedback: Feedback | null;
}

interface KeptConversation {
  id: string;
  title: string;
  leaf_id: string | null;
  messages: KeptMessage[];
}

/** A conversation as a list shows it; `snippet` is what a search found in it. */
interface Summary {
  id: string;
  title: string;
  updated_at: string;
  pinned: boolean;
  snippet: string;
}

type Row = { kind: "pinned" } | { kind: "day"; day: Date } | { kind: "entry"; summary: Summary };

type Fact = [key: Key, values?: Values];

type Token = import("../vendor/marked.js").Token;

type Tokens<Kind extends keyof MarkedTokens> = MarkedTokens[Kind];

interface MarkedTokens {
  Checkbox: import("../vendor/marked.js").Tokens.Checkbox;
  Heading: import("../vendor/marked.js").Tokens.Heading;
  Image: import("../vendor/marked.js").Tokens.Image;
  Link: import("../vendor/marked.js").Tokens.Link;
  List: import("../vendor/marked.js").Tokens.List;
  Markup: import("../vendor/marked.js").Tokens.HTML | import("../vendor/marked.js").Tokens.Tag;
  Table: import("../vendor/marked.js").Tokens.Table;
}

/** Fills an element with HTML of a model, made safe. */
type Writer = (element: Element, html: string) => void;

/** What every exchange on the page shares. */
interface ExchangeTools {
  retry: (exchange: Exchange) => void;
  regenerate: (exchange: Exchange) => void;
  edit: (exchange: Exchange, question: string) => void;
  choose: (exchange: Exchange, version: Exchange) => void;
  versions: (exchange: Exchange) => Exchange[];
  rated: (exchange: Exchange, given: Feedback | null) => void;
}

/** What the page lends to a conversation. */
interface ChatSurroundings {
  transcript: HTMLElement;
  conversation: import("./conversation.js").Conversation;
  onBusy: (busy: boolean) => void;
  /** Something was asked: there is a conversation, and it is the newest. */
  onAsked: () => void;
  onModel: (model: string) => void;
  onFailure: () => void;
}

/** What the whole browser window lends to the page. */
interface PageSurroundings {
  /** Keeps the conversation and the drafts. */
  store: import("./store.js").Store;
  onModel: (model: string) => void;
  onFailure: () => void;
  /** Something was asked in this conversation. */
  onAsked: (id: string) => void;
}

/** What the writer of a question may want. */
interface Wishes {
  send: (question: string) => void;
  stop: () => void;
}

type Mode = "open" | "accounts" | "oidc";

/** What is left of one limit. */
interface Standing {
  limit: number;
  remaining: number;
  /** Until all of it is there again. */
  reset_seconds?: number;
  window_seconds?: number;
}

/** Who reads the page, and what they may do there. */
interface Who {
  mode: Mode;
  /** Empty for somebody without an account. */
  name: string;
  role: "guest" | "student" | "teacher" | "admin";
  /** Where a browser goes to sign in, where that is not by password. */
  signIn: string;
  signedIn: boolean;
  /** Lessons, models and corrections. */
  mayTeach: boolean;
  /** The counters of the service. */
  mayOperate: boolean;
  /** By the limit's name; null while nobody can count. */
  quota: Record<string, Standing> | null;
}

/** What is wrong with one field of a request. */
interface FieldProblem {
  field: string;
  message: string;
}

/** What an element is made with. */
interface Features {
  key?: Key;
  values?: Values;
  /** The name of a control that shows only an icon. */
  called?: Key;
  label?: Key;
  on?: Record<string, (event: any) => void>;
  [attribute: string]: unknown;
}

/** One field of a form. */
interface FieldSpec {
  label: Key;
  input: HTMLInputElement | HTMLSelectElement;
  hint?: Key;
}

/** What can be wanted of answers, as the service calls it. */
interface Wanted {
  temperature?: number;
  max_tokens?: number;
  model?: string;
  language?: Language;
}

/** An API key without its secret. */
interface ApiKey {
  id: string;
  name: string;
  scopes: string[];
  expires_at: string | null;
  used_at: string | null;
}

/** An invitation without its link. */
interface Invitation {
  id: string;
  label: string;
  role: string;
  uses_left: number;
  expires_at: string;
}

interface User {
  name: string;
  role: string;
  disabled: boolean;
  created_at: string;
}

/** How much the service keeps of the reader. */
interface Stored {
  conversations: number;
  messages: number;
  ratings: number;
  keys: number;
  sessions: number;
  since: string | null;
  retention_days: number;
}

type Rating = "up" | "down";

/** What is known of an answer by whoever shows it. */
interface Rateable {
  given?: Feedback | null;
  answer?: string;
  onKept?: (given: Feedback | null) => void;
}

/** What somebody thinks of an answer; `correction` is the answer that it should have been. */
interface Feedback {
  rating: Rating;
  reason: string;
  correction: string;
}

type Quantiles = Record<"p50" | "p95" | "p99", number | null>;

interface ModelStats {
  answers: number;
  prompt_tokens: number;
  completion_tokens: number;
  time_to_first_token_seconds: Quantiles;
  latency_seconds: Quantiles;
}

/** The service's counters since its process started. */
interface Stats {
  uptime_seconds: number;
  /** `total`, and how many ended in which way. */
  requests: { total: number } & Record<string, number>;
  active_streams: number;
  queued: number;
  prompt_tokens: number;
  completion_tokens: number;
  time_to_first_token_seconds: Quantiles;
  latency_seconds: Quantiles;
  cache_hits: number;
  shared_answers: number;
  models: Record<string, ModelStats>;
}
