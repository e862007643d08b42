package failing

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
)

// share is what a part of responses errors are: those of an endpoint, or those of its whole service
// where that is graver. What servers behind it said, or are the reason of, is told of those: it
// counts neither as error nor as response.
type share struct {
	cause    string
	n, all   int
	endpoint string // "": the service
}

// share is that of an endpoint.
func (s *statuses) share(k *endpoint, cause string) share {
	a := s.at[*k]
	own := share{
		cause: cause, n: a.errors[cause].n, all: a.all - a.behind,
		endpoint: k.method + " " + k.template,
	}
	v := s.services[k.server]
	if v == nil {
		return own
	}
	whole := share{cause: cause, n: v.errors[cause], all: v.all - v.behind}
	if whole.grade() > own.grade() {
		return whole
	}
	return own
}

// few reports whether there are so few errors that nobody minds.
func (h *share) few() bool { return 100*h.n < someErrors*h.all }

// grade is the severity of errors by their share.
func (h *share) grade() report.Severity {
	theirs := h.cause == tooManyCause || h.cause == tooSlowCause
	switch {
	case h.n < leastErrors:
		return report.Info
	case 100*h.n >= mostlyErrors*h.all && !theirs:
		return report.High
	case 100*h.n >= oftenErrors*h.all:
		return report.Medium
	}
	return report.Low
}

// says is the share in words.
func (h *share) says(clients int) rule.Said {
	n, all := int64(h.n), int64(h.all)
	switch {
	case h.endpoint == "":
		return rule.Say(shareOfService, n, all)
	case clients > 1:
		return rule.Say(shareOfAllErrors, n, all).With(h.endpoint)
	case h.n == 1:
		return rule.Say(shareOfOneError, n, all).With(h.endpoint)
	}
	return rule.Say(shareOfErrors, n, all).With(h.endpoint)
}

// sort finds out what the capture shows behind each error, and is how many are the service's own,
// as far as that shows, and how many came from servers behind it.
func (r *errorRun) sort(b *behind, cause string) (own, behind int) {
	for i := range r.kept {
		f := &r.kept[i]
		l, ok := b.last(f.exchange)
		switch {
		case ok && l.Status == f.status:
			r.passed = append(r.passed, *f)
		case ok && mayPassOn(cause) && b.explains(&l):
			r.explained = append(r.explained, *f)
		default:
			r.own = append(r.own, *f)
		}
	}
	r.more = r.n - len(r.kept)
	if r.allBehind() {
		return 0, r.n
	}
	return len(r.own) + r.more, len(r.passed) + len(r.explained)
}

// book books the errors that one client got: those that nothing behind a proxy explains, or, where
// there are none between the two, the others as a remark.
func (s *statuses) book(b *behind, r *errorRun, k *endpoint, cause string) {
	h, clients := s.share(k, cause), len(s.at[*k].errors[cause].of)
	switch {
	case !r.allBehind():
		grade := h.grade()
		r.tell(b, &h, r.own, len(r.own)+r.more, func(c *rule.Claim) {
			c.Least, c.Says = grade, append([]rule.Said{h.says(clients)}, c.Says...)
		})
	case !b.owned(r.of.Pair, cause):
		h = s.explained(k, cause)
		r.tell(b, &h, r.explained, r.explains(), func(c *rule.Claim) {
			c.Least, c.Most = report.Info, rule.AtMost(report.Info)
			c.Says = append([]rule.Said{h.says(clients)}, c.Says...)
		})
	}
}

// allBehind reports whether all errors came from servers behind the service, as far as they are
// known.
func (r *errorRun) allBehind() bool { return len(r.own) == 0 && len(r.kept) > 0 }

// explains is how many of those findings behind the service explain.
func (r *errorRun) explains() int {
	if len(r.passed) == 0 {
		return len(r.explained) + r.more
	}
	return len(r.explained)
}

// explained is the share of the errors of an endpoint that findings behind it explain.
func (s *statuses) explained(k *endpoint, cause string) share {
	a := s.at[*k]
	h := share{cause: cause, all: a.all, endpoint: k.method + " " + k.template}
	for _, r := range a.errors[cause].of {
		if r.allBehind() {
			h.n += r.explains()
		}
	}
	return h
}

// tell books some of n errors as claims, of which say says more.
func (r *errorRun) tell(b *behind, h *share, all []failed, n int, say func(*rule.Claim)) {
	if h.few() {
		return
	}
	some := all[:min(len(all), maxSamples)]
	for i := range some {
		c := some[i].claim(h.cause)
		say(&c)
		if said := b.says(&c); said.Words != 0 {
			c.Says = append(c.Says, said)
		}
		if i == len(some)-1 {
			c.Also = n - len(some)
			c.Others = c.Also
		}
		b.desk.Book(r.of, &c)
	}
}
