package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"

	"tcpwhy/analysis/report"
	"tcpwhy/output/internal/sample"
)

// hostiles are texts that try to get out of where they stand, and to be something else.
var hostiles = []string{
	`"'><script>alert(1)</script><img src=//x.example onerror=alert(2)>--></style></title></svg>`,
	`]]></failure></testcase><testcase name="x"/>&lt;&#60;`,
	`","entries":[{}],"x":"`, `\",\"x\":\"`, "a\",\"b\nc,d\r\n=1+1",
	`=HYPERLINK("http://x.example")`, "+1", "-1", "@SUM(A1)", "\t=1",
	"```\n# x\n| a | b |\n|---|---|\n| c | d |\n", "| a | b |", `a \| b`, "`", "`x`", "[x](http://x.example)",
	"![i](j)", "* x", "> x", "1. x", "---", "===", "*x* _y_ ~~z~~", "http://x.example www.x.example",
	"</summary></details>", "&copy;", "<!-- ", "x.\n\n<div>\n\n# y", "{{.}}${7}%s%n\\",
	"\x00\x1b[31m\u2028\u2029\u202e\ufeff\xff",
}

// fromNetwork are the fields of a report, by name, that hold text of the network's or of file
// names, or sentences that quote it.
var fromNetwork = []string{
	"Name", "Error", "Host", "SNI", "ALPN", "Method", "Target", "Version", "Message", "Title", "Text",
	"Role", "After", "Other",
}

// saying is the sample with one text in all of those.
func saying(said string) *report.Report {
	r := sample.Report()
	say(reflect.ValueOf(r), false, said)
	return r
}

// say puts a text into the fields of a value.
func say(v reflect.Value, named bool, said string) {
	switch v.Kind() {
	case reflect.String:
		if named && v.CanSet() {
			v.SetString(said)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			say(v.Elem(), named, said)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			say(v.Index(i), named, said)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			say(v.Field(i), slices.Contains(fromNetwork, v.Type().Field(i).Name), said)
		}
	}
}

// skeletons are how the structure of a format is read, by its name; that of others is JSON, a value
// on each line or one alone.
var skeletons = map[string]func(string) ([]string, error){
	"text": func(string) ([]string, error) { return nil, nil }, // it has none
	"html": ofHTML, "markdown": ofMarkdown, "junit": ofXML, "csv": ofCSV,
}

// TestHostile: whatever the network says, and files are called, nothing breaks out of its cell,
// span, element or string: each format has the same structure, read by a reader of its kind, as
// with a harmless text.
func TestHostile(t *testing.T) {
	for _, f := range Formats() {
		skeleton := skeletons[f.Name]
		if skeleton == nil {
			skeleton = ofJSON
		}
		want, err := skeleton(written(t, f, saying("x"), Options{ShowQuery: true}))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for _, said := range hostiles {
			got, err := skeleton(written(t, f, saying(said), Options{ShowQuery: true}))
			if err != nil {
				t.Errorf("%s cannot be read with %q: %v", f.Name, said, err)
			}
			if i := differ(got, want); i >= 0 {
				t.Errorf("%s: %q makes %q, want %q", f.Name, said, from(got, i), from(want, i))
			}
		}
	}
}

// differ is where two lists differ first; -1 if they do not.
func differ(a, b []string) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// from is what stands in a list there.
func from(all []string, i int) []string { return all[min(i, len(all)):min(i+4, len(all))] }

// ofHTML are the elements of a page with the names of their attributes. Typed words may be code.
func ofHTML(page string) (out []string, err error) {
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		token := z.Token()
		if token.Type == html.TextToken || token.Data == "code" {
			continue
		}
		line := token.Type.String() + " " + token.Data
		for _, a := range token.Attr {
			line += " " + a.Key
		}
		out = append(out, line)
	}
	if z.Err() != io.EOF {
		return nil, z.Err()
	}
	return out, nil
}

// ofXML are the elements of a document with the names of their attributes.
func ofXML(doc string) (out []string, err error) {
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			line := e.Name.Local
			for _, a := range e.Attr {
				line += " " + a.Name.Local
			}
			out = append(out, line)
		case xml.EndElement:
			out = append(out, "/"+e.Name.Local)
		case xml.Comment, xml.Directive:
			out = append(out, fmt.Sprintf("%T", e))
		}
	}
}

// ofCSV are how many cells the lines of a table have. A cell that is a formula is an error.
func ofCSV(table string) (out []string, err error) {
	all, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	for _, line := range all {
		out = append(out, fmt.Sprint(len(line)))
		for _, cell := range line {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
				return nil, fmt.Errorf("a cell is %q", cell)
			}
		}
	}
	return out, err
}

// ofMarkdown are the blocks of a document, as GitHub's dialect has them, and what of the text is
// markup, but typed words.
func ofMarkdown(doc string) (out []string, err error) {
	source := []byte(doc)
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	err = ast.Walk(parser.Parse(text.NewReader(source)), func(n ast.Node, in bool) (ast.WalkStatus, error) {
		if !in {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text, *ast.String:
		case *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.RawHTML:
			elements, err := ofHTML(string(n.Segments.Value(source)))
			out = append(out, elements...)
			return ast.WalkContinue, err
		case *ast.HTMLBlock:
			elements, err := ofHTML(string(n.Lines().Value(source)))
			out = append(out, append(elements, n.Kind().String())...)
			return ast.WalkContinue, err
		default:
			out = append(out, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	return out, err
}

// ofJSON is a value on each line, or one in all, without its texts. It may hold no text that a
// script or a terminal takes for more.
func ofJSON(doc string) (out []string, err error) {
	hidden := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if i := strings.IndexFunc(doc, hidden); i >= 0 {
		return nil, fmt.Errorf("it holds %q", doc[i:min(i+8, len(doc))])
	}
	d := json.NewDecoder(bytes.NewReader([]byte(doc)))
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		out = append(out, shape("", v)...)
	}
	return out, nil
}

// shape are the members of a value, and what they are.
func shape(path string, v any) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sorted(v) {
			out = append(out, shape(path+"."+k, v[k])...)
		}
	case []any:
		out = append(out, fmt.Sprint(path, " ", len(v)))
		for _, e := range v {
			out = append(out, shape(path+"[]", e)...)
		}
	case string:
		out = append(out, path+" text")
	default:
		out = append(out, fmt.Sprint(path, " ", v))
	}
	return out
}

// sorted are the keys of an object.
func sorted(object map[string]any) (keys []string) {
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
