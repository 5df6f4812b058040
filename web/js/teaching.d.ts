/**
 * The nouns of the teacher's views, as the service has them. Types only: the browser never
 * loads this file.
 */

/** A lesson's content: keys, lists and texts, in the lesson's own form. */
type Content = { [key: string]: Content | string | (Content | string)[] };

interface Remark {
  line: number;
  column: number;
  rule: string;
  severity: "error" | "warning" | "info";
  message: string;
  hint: string;
  /** As `seed_examples/0/answer`; empty where nobody can tell. */
  field: string;
}

interface Lesson {
  path: string;
  title: string;
  text: string;
  /** Null where the YAML is broken. */
  content: Content | null;
  remarks: Remark[];
  valid: boolean;
  /** Empty for a lesson that was not saved yet. */
  version: string;
}

interface LessonListed {
  path: string;
  title: string;
  language: string;
  questions: number;
  exam: number;
  errors: number;
  warnings: number;
}

interface Subject {
  path: string;
  title: string;
}

interface Tree {
  subjects: Subject[];
  lessons: LessonListed[];
}

interface StoredModel {
  name: string;
  size: number;
  parent: string | null;
  run: string | null;
  active: boolean;
  served: boolean;
  former: boolean;
  forced: boolean;
  has_report: boolean;
  lessons: string[];
  report: { exam?: number; retention?: number; leak?: number; passed?: boolean } | null;
}

interface ModelStore {
  models: StoredModel[];
  active: string;
  former: string;
  /** MODEL_PATH, which comes before any choice made here. */
  pinned: string;
  /** None can be chosen here. */
  read_only: boolean;
}

interface RunList {
  runs: TrainingRun[];
  at_work: string;
  /** A training can begin here. */
  trains: boolean;
}

interface TrainingRun {
  id: string;
  state: "running" | "promoted" | "refused" | "failed" | "stopped" | "unfinished";
  lessons: string[];
  by: string;
  begun: string;
  stage: string;
  stages: string[];
  model: string;
  error: Partial<Record<Language, string>>;
  passed: boolean | null;
  exam: { before?: number | null; after?: number | null };
  report: boolean;
  /** It was begun in the page, which can let it go on. */
  ordered: boolean;
}

/** A line of a run's events. */
interface RunEvent {
  stage: string;
  event: string;
  step?: number;
  steps?: number;
  loss?: number;
  replay_loss?: number | null;
  held_out_loss?: number;
}

type Point = readonly [x: number, y: number];
