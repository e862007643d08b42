package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// chain are the program's outer packages: each, and what lies below it, imports only those after
// it.
var chain = []string{
	"tcpwhy", "tcpwhy/internal/cli", "tcpwhy/output", "tcpwhy/analysis", "tcpwhy/reassembly",
	"tcpwhy/capture",
}

// belowRules is what the judge and the rules may import: neither each other nor themselves.
var belowRules = []string{
	"tcpwhy/analysis/internal/rule", "tcpwhy/analysis/internal/whatif",
	"tcpwhy/analysis/internal/ledger",
	"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly", "tcpwhy/capture",
}

// edges are, of every package of the program, the packages of the program that it may import. What
// is not written here is not allowed: a new wall is a line here, and so is a new door.
var edges = map[string][]string{
	"tcpwhy":                  {"tcpwhy/internal/cli"},
	"tcpwhy/internal/outfile": {}, // whoever writes a file
	"tcpwhy/internal/cli": {
		"tcpwhy/internal/outfile",
		"tcpwhy/output", "tcpwhy/output/text", "tcpwhy/output/view", "tcpwhy/output/page",
		"tcpwhy/output/notes", "tcpwhy/reassembly/redact",
		"tcpwhy/output/wording", "tcpwhy/output/mask", "tcpwhy/output/json",
		"tcpwhy/internal/cli/known", "tcpwhy/internal/cli/parts",
		"tcpwhy/internal/cli/collector", "tcpwhy/internal/cli/metrics", "tcpwhy/internal/cli/service",
		"tcpwhy/analysis", "tcpwhy/analysis/compare", "tcpwhy/analysis/report", "tcpwhy/capture",
		"tcpwhy/capture/sockets",
		"tcpwhy/internal/cli/manual", "tcpwhy/internal/cli/screen",
	},
	"tcpwhy/internal/cli/screen":    {},
	"tcpwhy/internal/cli/manual":    {},
	"tcpwhy/internal/cli/collector": {},
	"tcpwhy/internal/cli/service":   {},
	"tcpwhy/internal/cli/metrics": {
		"tcpwhy/output/mask", "tcpwhy/analysis/report", "tcpwhy/reassembly", "tcpwhy/capture",
	},
	"tcpwhy/internal/cli/parts": {
		"tcpwhy/internal/outfile", "tcpwhy/output/mask", "tcpwhy/analysis",
		"tcpwhy/analysis/report",
	},
	"tcpwhy/internal/cli/known": {
		"tcpwhy/internal/outfile", "tcpwhy/output/baseline", "tcpwhy/analysis/report",
	},
	"tcpwhy/output": {
		"tcpwhy/output/text", "tcpwhy/output/json", "tcpwhy/output/html", "tcpwhy/output/junit",
		"tcpwhy/output/har", "tcpwhy/output/csv", "tcpwhy/output/markdown", "tcpwhy/output/page",
		"tcpwhy/output/otlp",
		"tcpwhy/analysis/compare", "tcpwhy/analysis/report",
	},
	"tcpwhy/output/text": {
		"tcpwhy/analysis/compare",
		"tcpwhy/output/page", "tcpwhy/output/sentence", "tcpwhy/output/finding", "tcpwhy/output/wording",
		"tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},
	"tcpwhy/output/sentence": {
		"tcpwhy/analysis/compare",
		"tcpwhy/output/finding", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},
	"tcpwhy/output/json": {
		"tcpwhy/analysis/compare",
		"tcpwhy/output/finding", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},
	"tcpwhy/output/html": {
		"tcpwhy/analysis/compare",
		"tcpwhy/output/sentence", "tcpwhy/output/finding", "tcpwhy/output/wording",
		"tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},
	"tcpwhy/output/junit": {
		"tcpwhy/output/sentence", "tcpwhy/output/finding", "tcpwhy/output/wording",
		"tcpwhy/output/mask", "tcpwhy/analysis/report",
	},
	"tcpwhy/output/har": {
		"tcpwhy/output/finding", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report",
	},
	"tcpwhy/output/csv": {
		"tcpwhy/output/finding", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report",
	},
	"tcpwhy/output/markdown": {
		"tcpwhy/output/sentence", "tcpwhy/output/finding", "tcpwhy/output/wording",
		"tcpwhy/output/mask", "tcpwhy/analysis/compare", "tcpwhy/analysis/report",
	},
	"tcpwhy/output/baseline": {"tcpwhy/output/json", "tcpwhy/output/mask", "tcpwhy/analysis/report"},
	"tcpwhy/output/view": {
		"tcpwhy/output/page", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/capture",
	},
	"tcpwhy/output/notes": {
		"tcpwhy/output/sentence", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/capture",
	},
	"tcpwhy/output/page":    {"tcpwhy/output/wording", "tcpwhy/output/mask"},
	"tcpwhy/output/finding": {"tcpwhy/output/mask", "tcpwhy/analysis/report", "tcpwhy/capture"},
	"tcpwhy/output/otlp": {
		"tcpwhy/output/finding", "tcpwhy/output/wording", "tcpwhy/output/mask",
		"tcpwhy/analysis/report", "tcpwhy/reassembly", "tcpwhy/reassembly/exchange",
	},
	"tcpwhy/output/wording": {
		"tcpwhy/output/mask", "tcpwhy/analysis/report", "tcpwhy/reassembly", "tcpwhy/capture",
	},
	"tcpwhy/output/mask": {},
	"tcpwhy/output/internal/sample": {
		"tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},

	"tcpwhy/analysis": {
		"tcpwhy/analysis/internal/judge", "tcpwhy/analysis/internal/rules/smallwrite",
		"tcpwhy/analysis/internal/rules/transfer", "tcpwhy/analysis/internal/rules/ending",
		"tcpwhy/analysis/internal/rules/connect", "tcpwhy/analysis/internal/rules/naming",
		"tcpwhy/analysis/internal/rules/failing", "tcpwhy/analysis/internal/rules/http2",
		"tcpwhy/analysis/internal/rules/grpc",
		"tcpwhy/analysis/internal/rule", "tcpwhy/analysis/internal/plain",
		"tcpwhy/analysis/internal/ledger", "tcpwhy/analysis/report",
		"tcpwhy/reassembly/exchange", "tcpwhy/reassembly", "tcpwhy/capture/sockets",
		"tcpwhy/capture",
	},
	"tcpwhy/analysis/shard": { // for programs that hand pieces of a capture around, as that in cluster/
		"tcpwhy/analysis", "tcpwhy/analysis/internal/plain", "tcpwhy/analysis/report",
		"tcpwhy/reassembly", "tcpwhy/capture",
	},
	"tcpwhy/analysis/internal/plain": {},
	"tcpwhy/analysis/internal/judge": append([]string{
		"tcpwhy/analysis/internal/plain",
		"tcpwhy/analysis/internal/tally", "tcpwhy/analysis/internal/grade",
		"tcpwhy/analysis/internal/legs", "tcpwhy/analysis/internal/moments",
		"tcpwhy/analysis/internal/story"}, belowRules...),
	"tcpwhy/analysis/internal/rules/smallwrite": belowRules,
	"tcpwhy/analysis/internal/rules/transfer": append([]string{
		"tcpwhy/analysis/internal/policing", "tcpwhy/analysis/internal/template"}, belowRules...),
	"tcpwhy/analysis/internal/rules/ending": append([]string{
		"tcpwhy/analysis/internal/inturn"}, belowRules...),
	"tcpwhy/analysis/internal/rules/connect": belowRules,
	"tcpwhy/analysis/internal/rules/naming":  belowRules,
	"tcpwhy/analysis/internal/rules/http2":   belowRules,
	"tcpwhy/analysis/internal/rules/grpc": append([]string{
		"tcpwhy/analysis/internal/inturn"}, belowRules...),
	"tcpwhy/analysis/internal/inturn": belowRules,
	"tcpwhy/analysis/internal/rules/failing": append([]string{
		"tcpwhy/analysis/internal/template"}, belowRules...),
	"tcpwhy/analysis/internal/rule": {
		"tcpwhy/analysis/internal/ledger", "tcpwhy/analysis/report", "tcpwhy/reassembly/exchange",
		"tcpwhy/analysis/internal/whatif", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},
	"tcpwhy/analysis/internal/rule/ruletest": { // for tests: none may import it
		"tcpwhy/analysis/internal/rule", "tcpwhy/analysis/report", "tcpwhy/reassembly/exchange",
	},
	"tcpwhy/analysis/internal/policing": {"tcpwhy/analysis/internal/ledger"},
	"tcpwhy/analysis/internal/template": {},
	"tcpwhy/analysis/internal/legs":     {"tcpwhy/reassembly/exchange"},
	"tcpwhy/analysis/internal/grade":    {"tcpwhy/analysis/report"},
	"tcpwhy/analysis/internal/moments":  {"tcpwhy/analysis/report"},
	"tcpwhy/analysis/internal/story": {
		"tcpwhy/analysis/internal/grade", "tcpwhy/analysis/internal/moments",
		"tcpwhy/analysis/report",
	},
	"tcpwhy/analysis/internal/tally": {
		"tcpwhy/analysis/internal/template", "tcpwhy/analysis/report", "tcpwhy/reassembly/exchange",
	},
	"tcpwhy/analysis/internal/whatif": {
		"tcpwhy/analysis/internal/ledger", "tcpwhy/analysis/report",
	},
	"tcpwhy/analysis/internal/ledger": {
		"tcpwhy/analysis/internal/ledger/sender", "tcpwhy/analysis/internal/ledger/picture",
		"tcpwhy/analysis/internal/ledger/line", "tcpwhy/analysis/report", "tcpwhy/reassembly/exchange", "tcpwhy/reassembly",
		"tcpwhy/capture",
	},
	"tcpwhy/analysis/internal/ledger/line": {"tcpwhy/analysis/report", "tcpwhy/capture"},
	"tcpwhy/analysis/internal/ledger/sender": {
		"tcpwhy/reassembly/exchange", "tcpwhy/reassembly", "tcpwhy/capture",
	},
	"tcpwhy/analysis/internal/ledger/picture": {
		"tcpwhy/analysis/report", "tcpwhy/reassembly", "tcpwhy/capture",
	},
	"tcpwhy/analysis/compare": {"tcpwhy/analysis/report", "tcpwhy/reassembly"},
	"tcpwhy/analysis/report": {
		"tcpwhy/reassembly/exchange", "tcpwhy/reassembly", "tcpwhy/capture/sockets", "tcpwhy/capture",
	},
	"tcpwhy/reassembly": {
		"tcpwhy/reassembly/internal/dialogue", "tcpwhy/reassembly/internal/http1",
		"tcpwhy/reassembly/internal/http2", "tcpwhy/reassembly/internal/tlsrecord",
		"tcpwhy/reassembly/internal/websocket",
		"tcpwhy/reassembly/exchange", "tcpwhy/reassembly/internal/keylog",
		"tcpwhy/reassembly/internal/names", "tcpwhy/reassembly/internal/quic", "tcpwhy/capture",
	},
	"tcpwhy/reassembly/internal/names": {"tcpwhy/capture"},
	"tcpwhy/reassembly/internal/quic":  {"tcpwhy/capture"},
	"tcpwhy/reassembly/tcptext":        {"tcpwhy/capture"},
	"tcpwhy/capture": {
		"tcpwhy/capture/anonym",
		"tcpwhy/capture/internal/copies", "tcpwhy/capture/internal/decode",
		"tcpwhy/capture/internal/flow",
		"tcpwhy/capture/internal/filter",
		"tcpwhy/capture/internal/frame", "tcpwhy/capture/internal/pcapio",
		"tcpwhy/capture/internal/ring",
		"tcpwhy/capture/segment",
	},
	"tcpwhy/capture/anonym": {
		"tcpwhy/capture/internal/decode", "tcpwhy/capture/internal/frame",
		"tcpwhy/capture/internal/header", "tcpwhy/capture/segment",
	},
	"tcpwhy/reassembly/redact": {"tcpwhy/capture/anonym", "tcpwhy/capture"},
	"tcpwhy/capture/internal/ring": {
		"tcpwhy/capture/internal/filter", "tcpwhy/capture/internal/frame",
		"tcpwhy/capture/internal/header",
	},
	"tcpwhy/capture/internal/pcapio": {
		"tcpwhy/internal/outfile",
		"tcpwhy/capture/internal/frame", "tcpwhy/capture/internal/xz",
	},
	"tcpwhy/capture/internal/copies": {"tcpwhy/capture/internal/flow", "tcpwhy/capture/segment"},
	"tcpwhy/capture/internal/filter": {
		"tcpwhy/capture/internal/frame", "tcpwhy/capture/internal/header", "tcpwhy/capture/segment",
	},
	"tcpwhy/capture/internal/decode": {
		"tcpwhy/capture/internal/flow", "tcpwhy/capture/internal/frame",
		"tcpwhy/capture/internal/header",
		"tcpwhy/capture/segment",
	},
	"tcpwhy/capture/internal/frametest": {
		"tcpwhy/capture/internal/header", "tcpwhy/capture/segment",
	},
	"tcpwhy/capture/internal/xz":          {},
	"tcpwhy/capture/internal/flow":        {},
	"tcpwhy/capture/internal/header":      {},
	"tcpwhy/capture/internal/frame":       {},
	"tcpwhy/capture/segment":              {},
	"tcpwhy/capture/sockets":              {},
	"tcpwhy/reassembly/internal/dialogue": {"tcpwhy/reassembly/exchange", "tcpwhy/capture"},
	"tcpwhy/reassembly/internal/http1":    {"tcpwhy/reassembly/exchange", "tcpwhy/capture"},
	"tcpwhy/reassembly/internal/http2": {
		"tcpwhy/reassembly/internal/flowcontrol", "tcpwhy/reassembly/exchange", "tcpwhy/capture",
	},
	"tcpwhy/reassembly/internal/flowcontrol": {"tcpwhy/capture"},
	"tcpwhy/reassembly/internal/websocket": {
		"tcpwhy/reassembly/exchange", "tcpwhy/capture",
	},
	"tcpwhy/reassembly/internal/tlsrecord": {
		"tcpwhy/reassembly/exchange", "tcpwhy/reassembly/internal/keylog",
		"tcpwhy/reassembly/internal/tlscrypt", "tcpwhy/capture",
	},
	"tcpwhy/reassembly/internal/readertest": { // of tests only
		"tcpwhy/reassembly/internal/dialogue", "tcpwhy/reassembly/internal/http1",
		"tcpwhy/reassembly/internal/http2", "tcpwhy/reassembly/internal/tlsrecord",
		"tcpwhy/reassembly/internal/websocket", "tcpwhy/reassembly/exchange", "tcpwhy/capture",
	},
	"tcpwhy/reassembly/exchange":          {"tcpwhy/reassembly/internal/keylog", "tcpwhy/capture"},
	"tcpwhy/reassembly/internal/keylog":   {},
	"tcpwhy/reassembly/internal/tlscrypt": {},
}

// onlyIn says which one package of the program may import a library; "" means that only tests may.
var onlyIn = map[string]string{
	"github.com/google/gopacket":         "tcpwhy/capture", // for libpcap
	"github.com/google/gopacket/layers":  "",               // tables of it cost 3 ms at each start
	"github.com/klauspost/compress":      "tcpwhy/capture",
	"github.com/pierrec/lz4":             "tcpwhy/capture",
	"github.com/ulikunitz/xz":            "tcpwhy/capture",
	"golang.org/x/crypto":                "tcpwhy/reassembly",
	"github.com/spf13/cobra":             "tcpwhy/internal/cli",
	"github.com/spf13/pflag":             "tcpwhy/internal/cli",
	"golang.org/x/term":                  "tcpwhy/internal/cli",
	"golang.org/x/net/http2":             "tcpwhy/reassembly",
	"github.com/go-json-experiment/json": "tcpwhy/output",
	"encoding/json":                      "",
	"tcpwhy/internal/golden":             "",
	"tcpwhy/internal/schema":             "",
	"tcpwhy/output/internal/sample":      "",
	"github.com/google/go-cmp":           "",
	"github.com/google/jsonschema-go":    "",
	"github.com/rogpeppe/go-internal":    "",
	"github.com/yuin/goldmark":           "",
	"net/http":                           servesHTTP,
	"github.com/prometheus":              servesHTTP,
	"pgregory.net/rapid":                 "",
}

// servesHTTP is the one package of those who take part: Prometheus asks it.
const servesHTTP = "tcpwhy/internal/cli/metrics"

// endpoints are libraries of who takes part in a connection: they link half of the standard
// library, and who reads captures does without. What lies below them is allowed, such as the tables
// of HPACK.
var endpoints = []string{"crypto/tls", "net/http", "golang.org/x/net/http2"}

// TestImports keeps the direction of imports, and libraries where they belong.
func TestImports(t *testing.T) {
	for file, imports := range importsByFile(t) {
		pkg := packageOf(file)
		place := slices.Index(chain, chainPackage(pkg))
		if place < 0 {
			continue // a tool beside the program
		}
		allowed, known := edges[pkg]
		if !known {
			t.Errorf("%s is of a package that edges does not know", file)
		}
		for _, path := range imports {
			if slices.Contains(endpoints, path) && pkg != servesHTTP {
				t.Errorf("%s imports %s, which is for those who take part", file, path)
			}
			if strings.HasPrefix(path, "tcpwhy/") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s, which edges does not allow", file, path)
			}
			if other := slices.Index(chain, chainPackage(path)); other >= 0 &&
				(other < place || other == place && path == "tcpwhy") {
				t.Errorf(
					"%s imports %s, which stands before it in %s",
					file,
					path,
					strings.Join(chain, " -> "),
				)
			}
			for library, home := range onlyIn {
				if (path == library || strings.HasPrefix(path, library+"/")) &&
					chainPackage(pkg) != home &&
					pkg != home {
					t.Errorf("%s imports %s, which belongs in %q", file, path, home)
				}
			}
		}
	}
}

// importsByFile are the imports of every Go file that is no test.
func importsByFile(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		paths := []string{}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			paths = append(paths, name)
		}
		all[filepath.ToSlash(path)] = paths
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < len(chain) {
		t.Fatalf("found only %d files", len(all))
	}
	return all
}

// packageOf is the import path of the package that a file belongs to.
func packageOf(file string) string {
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		return "tcpwhy/" + file[:i]
	}
	return "tcpwhy"
}

// chainPackage is the element of the chain that a package is or lies below; "" if none.
func chainPackage(path string) string {
	for _, element := range chain[1:] {
		if path == element || strings.HasPrefix(path, element+"/") {
			return element
		}
	}
	if path == "tcpwhy" {
		return path
	}
	return ""
}
