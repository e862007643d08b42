package judge

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// What the judge says itself of a frame, whatever rule the claim is of.
const (
	sameRequest = rule.JudgeWords + 1 + iota
	becameError
)

// words is the judge's own vocabulary.
var words = []rule.Words{
	sameRequest - rule.JudgeWords: {Role: "retry",
		Text: "the same request again, on connection {conn}, {s} after the first"},
	becameError - rule.JudgeWords: {Role: "response to the client",
		Text: "status {n}, on connection {conn}", Facts: rule.Facts{report.CarriesData}},
}

// listed are occurrences of a rule with their evidence in words. They share nothing that changes.
func listed(d *rule.Detector, all []rule.Occurrence) []report.Occurrence {
	out := make([]report.Occurrence, len(all))
	for i := range all {
		o := &all[i]
		out[i] = report.Occurrence{
			Connection: o.Connection,
			Exchange:   o.Exchange,
			Start:      o.Start,
			End:        o.End,
			Cost:       o.Cost,
			Elsewhere:  o.Elsewhere,
			Evidence:   shown(d, o),
		}
	}
	return out
}

// shown is the evidence of an occurrence of a rule in words.
func shown(d *rule.Detector, o *rule.Occurrence) []report.Evidence {
	out := make([]report.Evidence, 0, len(o.Proof))
	for _, e := range o.Proof {
		if e.Words == 0 { // taken back: the records tell otherwise
			continue
		}
		vocabulary := d.Vocabulary
		if e.Words >= rule.JudgeWords {
			e.Words, vocabulary = e.Words-rule.JudgeWords, words
		}
		out = append(out, report.Evidence{
			Mark: e.Mark,
			Role: vocabulary[e.Words].Role,
			Side: e.Side,
			Text: e.Sentence(vocabulary),

			Asserts: vocabulary[e.Words].Asserted(e.N[:]),
		})
	}
	return out
}
