package capture

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of an expression. They bound the stack that parsing and matching need.
const (
	filterWords = 1000
	filterDepth = 50 // parentheses and negations within each other
)

// ParseFilter reads a condition in the part of pcap-filter(7) that is about segments: host, net,
// port, portrange, src, dst, ip, ip6, tcp, udp, vlan, and, or, not, parentheses. As there, "and"
// and "or" have the same precedence and associate to the left, and a value without a keyword takes
// the keywords of the one before it. An error names the word and its column, counted from 1. An
// empty condition matches everything.
func ParseFilter(expr string) (*Filter, error) {
	words, err := splitFilter(expr)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return &Filter{}, nil
	}
	p := filterParser{words: words, end: utf8.RuneCountInString(expr) + 1}
	test, err := p.expression()
	if err == nil && p.next < len(p.words) {
		err = p.unexpected("expected and, or, or the end")
	}
	if err != nil {
		return nil, err
	}
	return &Filter{test: test}, nil
}

// filterWord is a word of an expression and the column where it starts.
type filterWord struct {
	text   string
	column int
}

// splitFilter cuts an expression into words, parentheses and operators.
func splitFilter(expr string) ([]filterWord, error) {
	var words []filterWord
	column := 1
	for rest := expr; rest != ""; {
		n := wordLength(rest)
		text := rest[:n]
		rest = rest[n:]
		if strings.TrimSpace(text) != "" {
			words = append(words, filterWord{filterOperator(text), column})
		}
		if len(words) > filterWords {
			return nil, fmt.Errorf("filter: column %d: more than %d words", column, filterWords)
		}
		column += utf8.RuneCountInString(text)
	}
	return words, nil
}

// wordLength is how many octets of rest the first word, operator or blank takes.
func wordLength(rest string) int {
	const blanks, single = " \t\r\n", "()!"
	if strings.HasPrefix(rest, "&&") || strings.HasPrefix(rest, "||") {
		return 2
	}
	if strings.IndexByte(blanks+single+"&|", rest[0]) >= 0 {
		return 1
	}
	if n := strings.IndexAny(rest, blanks+single+"&|"); n >= 0 {
		return n
	}
	return len(rest)
}

// filterOperator is the word for an operator's sign.
func filterOperator(text string) string {
	switch text {
	case "&&":
		return "and"
	case "||":
		return "or"
	case "!":
		return "not"
	}
	return text
}

// filterParser is a recursive descent over the words.
type filterParser struct {
	words []filterWord
	next  int
	end   int // column after the expression
	depth int
	last  qualifiers // of the latest condition: a bare value takes them
}

// peek is the next word, "" at the end.
func (p *filterParser) peek() string { return p.ahead(0) }

func (p *filterParser) ahead(n int) string {
	if p.next+n >= len(p.words) {
		return ""
	}
	return p.words[p.next+n].text
}

// accept takes the next word if it is the given one.
func (p *filterParser) accept(word string) bool {
	if p.peek() != word {
		return false
	}
	p.next++
	return true
}

// unexpected is an error about the next word.
func (p *filterParser) unexpected(reason string) error {
	if p.next >= len(p.words) {
		return fmt.Errorf("filter: column %d: the expression ends here: %s", p.end, reason)
	}
	w := p.words[p.next]
	return fmt.Errorf("filter: column %d: %q: %s", w.column, w.text, reason)
}

// enter guards against nesting that would exhaust the stack.
func (p *filterParser) enter() error {
	if p.depth++; p.depth > filterDepth {
		return p.unexpected("nested too deeply")
	}
	return nil
}

// expression is terms and values joined by and, or, evaluated from left to right.
func (p *filterParser) expression() (predicate, error) {
	left, err := p.term()
	for err == nil && (p.peek() == "and" || p.peek() == "or") {
		both := p.words[p.next].text == "and"
		p.next++
		var right predicate
		if p.atValue() {
			right, err = p.value()
		} else {
			right, err = p.term()
		}
		if err != nil {
			return nil, err
		}
		left = left.join(both, right)
	}
	return left, err
}

// join is "and" or "or".
func (p predicate) join(both bool, q predicate) predicate {
	if both {
		return p.and(q)
	}
	return p.or(q)
}

// atValue reports whether a bare value follows, after any parentheses and negations.
func (p *filterParser) atValue() bool {
	n := 0
	for p.ahead(n) == "(" || p.ahead(n) == "not" {
		n++
	}
	word := p.ahead(n)
	return word != "" && word != ")" && !isFilterKeyword(word)
}

// term is a condition, a negated term, or an expression in parentheses.
func (p *filterParser) term() (predicate, error) {
	if p.accept("not") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		inner, err := p.term()
		p.depth--
		if err != nil {
			return nil, err
		}
		return inner.not(), nil
	}
	if p.accept("(") {
		inner, err := p.enclosed(p.expression)
		p.last = qualifiers{} // what stood in there ends there
		return inner, err
	}
	return p.condition()
}

// enclosed parses what stands before a closing parenthesis; the opening one was taken.
func (p *filterParser) enclosed(parse func() (predicate, error)) (predicate, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	inner, err := parse()
	p.depth--
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.unexpected("expected )")
	}
	return inner, nil
}

// value is a bare value, a negated one, or a list of them in parentheses, under the latest
// qualifiers.
func (p *filterParser) value() (predicate, error) {
	if p.accept("not") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		inner, err := p.value()
		p.depth--
		if err != nil {
			return nil, err
		}
		return inner.not(), nil
	}
	if p.accept("(") {
		return p.enclosed(p.values)
	}
	return p.literal()
}

// values is a list of values joined by and, or.
func (p *filterParser) values() (predicate, error) {
	left, err := p.value()
	for err == nil && (p.peek() == "and" || p.peek() == "or") {
		both := p.words[p.next].text == "and"
		p.next++
		var right predicate
		if right, err = p.value(); err == nil {
			left = left.join(both, right)
		}
	}
	return left, err
}
