// KaTeX without what only its HTML needs draws the same formulas as the whole of it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { createContext, runInContext } from "node:vm";

/** @param {string} file */
function library(file) {
  const context = createContext({});
  runInContext(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8"), context);
  return context["katex"];
}

const whole = library("node_modules/katex/dist/katex.min.js");
const ours = library("web/vendor/katex.js");
const options = { output: "mathml", trust: false, strict: false, throwOnError: false };

const FORMULAS = String.raw`
x^2 + y_1 = \frac{a}{b} - \dfrac{1}{2} \cdot \tfrac{n}{k} \binom{n}{k} {a \over b} \genfrac(]{1pt}{1}{a}{b}
\sqrt{2} + \sqrt[3]{x+1} + \lim_{x \to 0} \sum_{i=1}^{n} \prod \int_0^\infty \iiint \iint \bigcup_{i} \operatorname*{arg\,max}_x
\left( \frac{a}{b} \middle| c \right) \left\{ x \right. \bigl[ \Bigr] \biggl\langle \Biggr\rangle \lvert a \rVert
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{bmatrix} a \end{bmatrix} \begin{vmatrix} a \end{vmatrix} \begin{smallmatrix} a & b \end{smallmatrix}
\begin{cases} x & x > 0 \\ -x & \text{otherwise} \end{cases} \begin{array}{c|cc} a & b & c \\ \hline d & e & f \end{array}
\begin{aligned} a &= b \\ c &= d \end{aligned} \begin{gathered} a \\ b \end{gathered} \begin{CD} A @>a>> B \\ @VbVV @AcAA \\ C @= D \end{CD}
\hat{x} \bar{x} \vec{v} \dot{x} \ddot{x} \tilde{x} \widehat{abc} \widetilde{abc} \overline{ab} \underline{ab} \utilde{ab} \overrightarrow{AB} \overbrace{a+b}^{n} \underbrace{a+b}_{n} \overgroup{AB} \underlinesegment{AB}
\xrightarrow[under]{over} \xleftarrow{a} \xleftrightarrow{a} \xrightleftharpoons{a} \xmapsto{a} \rightleftharpoons
\mathbb{R} \mathcal{L} \mathfrak{g} \mathscr{F} \mathrm{d}x \mathbf{v} \mathsf{A} \mathtt{x} \boldsymbol{\alpha} \bm{x} \pmb{y} \text{with \textbf{bold} and $x$} \textit{i} \emph{e} \texttt{t}
\alpha \beta \Gamma \varepsilon \partial \nabla \forall \exists \in \notin \subseteq \cup \emptyset \infty \pm \times \div \leq \geq \neq \approx \equiv \propto \perp \parallel \angle \triangle \therefore \hbar \ell \Re \aleph \dagger
\color{red} x \textcolor{#0f0}{y} \colorbox{yellow}{z} \fcolorbox{red}{white}{w} \boxed{E = mc^2} \fbox{a} \cancel{x} \bcancel{y} \xcancel{z} \sout{w} \phase{-78^\circ} \angl{n}
\phantom{x} \hphantom{x} \vphantom{x} \smash{x} \smash[b]{y} \rlap{a} \llap{b} \clap{c} \mathllap{d} \raisebox{1em}{x} \rule{1em}{2pt} \vcenter{a} \hspace{1em} \kern2pt \, \: \; \! \quad \qquad a~b
\stackrel{a}{=} \overset{a}{b} \underset{a}{b} \sideset{}{'}\sum x' x'' f^{\prime} {}_a^b \substack{a \\ b} \mathop{x} \mathbin{y} \mathrel{z} \mathopen( \mathclose) \mathpunct, \mathinner{a}
\sin x \cos \tan \log \ln \exp \det \dim \gcd \max \min \sup \inf \bmod \pmod{n} \mod n \operatorname{rank} A \limits_a
\tiny a \small b \large c \Huge d \displaystyle \sum \textstyle \sum \scriptstyle x \mathchoice{a}{b}{c}{d}
\KaTeX \TeX \LaTeX \copyright \pounds \S \P \# \% \& \_ \{ \}
\newcommand{\half}[1]{\frac{#1}{2}} \half{x} \def\a{b} \a \verb|x_1| \char"61 \unicode{x} \tag{1}
\dots \ldots \cdots \vdots \ddots \ce{x} \braket{\phi|\psi} \Bra{a} \set{x|y} \not= \mathring{a} \r{a} \'e \^o \"u \c{c} é ñ ½ ² → ∑
\includegraphics{x.png} \href{javascript:alert(1)}{x} \url{https://example.org} \htmlClass{a}{b} \class{a}{b} \reflectbox{R}
\frac{1 \unknown{x} }} \begin{nothing}
`;

test("every formula comes out the same", () => {
  const lines = FORMULAS.trim().split("\n");
  for (const line of lines) {
    for (const tex of [line, ...line.split(/(?<=[}a-z])\s(?=\\[a-zA-Z]+\{)/)]) {
      for (const displayMode of [true, false]) {
        const drawn = ours.renderToString(tex, { ...options, displayMode });
        assert.equal(drawn, whole.renderToString(tex, { ...options, displayMode }), tex);
      }
    }
  }
  const formulas = lines.filter((tex) => /<math/.test(ours.renderToString(tex, options)));
  assert.ok(formulas.length > lines.length / 2, "hardly any formula was drawn");
});

test("its own names are set with letters that it still measures", () => {
  assert.doesNotMatch(ours.renderToString(String.raw`\KaTeX \LaTeX \TeX`, options), /NaN|undefined/);
});
