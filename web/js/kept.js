/**
 * A conversation as the server keeps it, turned into exchanges. Knows the server's words
 * for how an answer ended; knows nothing of the network.
 */

import { knownCode } from "./failure.js";
import { unanswered } from "./conversation.js";

/**
 * @param {KeptConversation} kept
 * @param {Language} language of the page, for answers that do not say theirs
 * @returns {Exchange[]} every version of every exchange, in the order in which they came
 */
export function exchangesOf({ messages, leaf_id }, language) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const chosen = branch(byId, leaf_id);
  const answered = new Set(messages.map(({ role, parent_id }) => role === "assistant" && parent_id));
  return messages
    .filter(({ id, role }) => role === "assistant" || !answered.has(id))
    .map((message) => exchangeOf(message, byId, chosen, language));
}

/**
 * @param {Map<string, KeptMessage>} byId
 * @param {string | null} leaf
 */
function branch(byId, leaf) {
  /** @type {Set<string>} */
  const chosen = new Set();
  for (let at = byId.get(leaf ?? ""); at; at = byId.get(at.parent_id ?? "")) chosen.add(at.id);
  return chosen;
}

/**
 * An answer with its question; a file that was imported may have one without the other.
 * @param {KeptMessage} message
 * @param {Map<string, KeptMessage>} byId
 * @param {Set<string>} chosen
 * @param {Language} language
 * @returns {Exchange}
 */
function exchangeOf(message, byId, chosen, language) {
  const isAnswer = message.role === "assistant";
  const above = byId.get(message.parent_id ?? "");
  const question = isAnswer && above?.role === "assistant" ? undefined : isAnswer ? above : message;
  const parent = (question ?? message).parent_id ?? "";
  const spoken = message.parameters?.language ?? language;
  const asked = { question: question?.text ?? "", questionId: question?.id ?? "", parent };
  const told = isAnswer ? answerOf(message) : { ...unanswered(), state: /** @type {const} */ ("stopped") };
  return { ...asked, language: spoken, again: "", key: "", shown: chosen.has(message.id), ...told };
}

/**
 * An answer that is still being written is read from its beginning.
 * @param {KeptMessage} answer
 */
function answerOf(answer) {
  const begun = { ...unanswered(), streamId: answer.id, model: answer.model };
  if (answer.state === "streaming") return begun;
  const { prompt_tokens, completion_tokens, latency_seconds, finish_reason, truncated, cached } = answer;
  const { feedback } = answer;
  const whole = { ...begun, answer: answer.text, truncated, ended: true, feedback };
  if (answer.state === "complete" || answer.state === "stopped") {
    const prompt = prompt_tokens ?? 0;
    const written = completion_tokens ?? 0;
    /** @type {Exchange["state"]} */
    const state = answer.state === "complete" ? "done" : "stopped";
    const report = {
      tokens_used: prompt + written,
      prompt_tokens: prompt,
      completion_tokens: written,
      latency_seconds: latency_seconds ?? 0,
      model: answer.model,
      finish_reason,
      cached,
    };
    return { ...whole, state, report };
  }
  const code = knownCode(answer.error) ?? (answer.state === "interrupted" ? "interrupted" : "internal");
  return { ...whole, state: /** @type {const} */ ("failed"), failure: { code, retryable: true } };
}
