package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of an expression. They bound the stack that parsing and matching need.
const (
	wordsMax = 1000
	depthMax = 50 // parentheses and negations within each other
)

// Parse reads a condition in the part of pcap-filter(7) that is about segments: host, net,
// port, portrange, src, dst, ip, ip6, tcp, udp, vlan, and, or, not, parentheses. As there, "and"
// and "or" have the same precedence and associate to the left, and a value without a keyword takes
// the keywords of the one before it. An error names the word and its column, counted from 1. An
// empty condition matches everything.
func Parse(expr string) (*Filter, error) {
	words, err := split(expr)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return &Filter{}, nil
	}
	p := parser{words: words, end: utf8.RuneCountInString(expr) + 1}
	test, err := p.expression()
	if err == nil && p.next < len(p.words) {
		err = p.unexpected("expected and, or, or the end")
	}
	if err != nil {
		return nil, err
	}
	return &Filter{test: test}, nil
}

// token is a word of an expression and the column where it starts.
type token struct {
	text   string
	column int
}

// split cuts an expression into words, parentheses and operators.
func split(expr string) ([]token, error) {
	var words []token
	column := 1
	for rest := expr; rest != ""; {
		n := wordLength(rest)
		text := rest[:n]
		rest = rest[n:]
		if strings.TrimSpace(text) != "" {
			words = append(words, token{operator(text), column})
		}
		if len(words) > wordsMax {
			return nil, fmt.Errorf("filter: column %d: more than %d words", column, wordsMax)
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

// operator is the word for an operator's sign.
func operator(text string) string {
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

// parser is a recursive descent over the words.
type parser struct {
	words []token
	next  int
	end   int // column after the expression
	depth int
	last  qualifiers // of the latest condition: a bare value takes them
}

// peek is the next word, "" at the end.
func (p *parser) peek() string { return p.ahead(0) }

func (p *parser) ahead(n int) string {
	if p.next+n >= len(p.words) {
		return ""
	}
	return p.words[p.next+n].text
}

// accept takes the next word if it is the given one.
func (p *parser) accept(word string) bool {
	if p.peek() != word {
		return false
	}
	p.next++
	return true
}

// unexpected is an error about the next word.
func (p *parser) unexpected(reason string) error {
	if p.next >= len(p.words) {
		return fmt.Errorf("filter: column %d: the expression ends here: %s", p.end, reason)
	}
	w := p.words[p.next]
	return fmt.Errorf("filter: column %d: %q: %s", w.column, w.text, reason)
}

// enter guards against nesting that would exhaust the stack.
func (p *parser) enter() error {
	if p.depth++; p.depth > depthMax {
		return p.unexpected("nested too deeply")
	}
	return nil
}

// expression is terms and values joined by and, or, evaluated from left to right.
func (p *parser) expression() (predicate, error) {
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
func (p *parser) atValue() bool {
	n := 0
	for p.ahead(n) == "(" || p.ahead(n) == "not" {
		n++
	}
	word := p.ahead(n)
	return word != "" && word != ")" && !isKeyword(word)
}

// term is a condition, a negated term, or an expression in parentheses.
func (p *parser) term() (predicate, error) {
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
func (p *parser) enclosed(parse func() (predicate, error)) (predicate, error) {
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
func (p *parser) value() (predicate, error) {
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
func (p *parser) values() (predicate, error) {
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
