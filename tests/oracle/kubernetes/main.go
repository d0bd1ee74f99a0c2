// Says what a Kubernetes API server would say: it reads a question from standard input and answers on standard output.
//
// Everything that decides is the code of Kubernetes itself: strict decoding, defaulting and validation of the built-in
// kinds, structural schemas and CEL rules of custom resources, Pod Security, and the admission plugin that evaluates
// ValidatingAdmissionPolicies. It knows nothing of who made the objects.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// question is what the program reads.
type question struct {
	// Definitions are CustomResourceDefinitions, as YAML texts.
	Definitions []string `json:"definitions"`
	// Objects are the objects of one cluster, as YAML texts.
	Objects []string `json:"objects"`
	// Requests are made to that cluster, once the objects exist.
	Requests []request `json:"requests"`
	// Kustomization is a folder that is built.
	Kustomization string `json:"kustomization"`
}

// answer is what it writes.
type answer struct {
	// Problems has a list for each object.
	Problems [][]string `json:"problems"`
	// Verdicts has an entry for each request: empty where it is let in, and otherwise why not.
	Verdicts []string `json:"verdicts"`
	// Built holds the objects of the kustomization, as `Kind namespace/name`.
	Built []string `json:"built"`
}

func main() {
	klog.SetLogger(logr.Discard())
	text, err := io.ReadAll(os.Stdin)
	must(err)
	var asked question
	must(json.Unmarshal(text, &asked))
	definitions, err := readDefinitions(asked.Definitions)
	must(err)
	told := answer{Problems: [][]string{}, Verdicts: []string{}, Built: []string{}}
	for _, object := range asked.Objects {
		told.Problems = append(told.Problems, problems(definitions, []byte(object)))
	}
	if len(asked.Requests) > 0 {
		cluster, err := newCluster(asked.Objects)
		must(err)
		for _, asked := range asked.Requests {
			verdict, err := cluster.admit(asked)
			must(err)
			told.Verdicts = append(told.Verdicts, verdict)
		}
	}
	if asked.Kustomization != "" {
		told.Built, err = build(asked.Kustomization)
		must(err)
	}
	must(json.NewEncoder(os.Stdout).Encode(told))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
