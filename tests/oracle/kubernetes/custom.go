package main

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/expr-lang/expr"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// definition is a kind that a CustomResourceDefinition brings, by version.
type definition map[string]*apiextensions.JSONSchemaProps

type definitions map[schema.GroupKind]definition

func readDefinitions(texts []string) (definitions, error) {
	all := definitions{}
	for _, text := range texts {
		var read apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal([]byte(text), &read); err != nil {
			return nil, err
		}
		versions := definition{}
		for _, version := range read.Spec.Versions {
			properties := &apiextensions.JSONSchemaProps{}
			if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(version.Schema.OpenAPIV3Schema, properties, nil); err != nil {
				return nil, err
			}
			versions[version.Name] = properties
		}
		all[schema.GroupKind{Group: read.Spec.Group, Kind: read.Spec.Names.Kind}] = versions
	}
	return all, nil
}

func decodeAny(text []byte) (map[string]any, *schema.GroupVersionKind, error) {
	document, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, nil, err
	}
	var object map[string]any
	if err := utiljson.Unmarshal(document, &object); err != nil {
		return nil, nil, err
	}
	kind := (&unstructured.Unstructured{Object: object}).GroupVersionKind()
	return object, &kind, nil
}

// problems returns why the API server would refuse a custom resource: fields that it would prune, its schema, and its
// CEL rules.
func (d definition) problems(object map[string]any, version string) []string {
	properties, ok := d[version]
	if !ok {
		return []string{fmt.Sprintf("there is no version %s", version)}
	}
	structural, err := structuralschema.NewStructural(properties)
	if err != nil {
		return []string{err.Error()}
	}
	found := []string{}
	unknown := pruning.PruneWithOptions(object, structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		found = append(found, "unknown field "+path)
	}
	defaulting.Default(object, structural)
	validator, _, err := validation.NewSchemaValidator(properties)
	if err != nil {
		return []string{err.Error()}
	}
	for _, problem := range validation.ValidateCustomResource(nil, object, validator) {
		found = append(found, problem.Error())
	}
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	if rules != nil {
		problems, _ := rules.Validate(context.Background(), nil, structural, object, nil, celconfig.RuntimeCELCostBudget)
		for _, problem := range problems {
			found = append(found, problem.Error())
		}
	}
	return append(found, formula(object)...)
}

// formula compiles the formula of a ScaledObject as KEDA does, over the names of its triggers.
func formula(object map[string]any) []string {
	text, ok, _ := unstructured.NestedString(object, "spec", "advanced", "scalingModifiers", "formula")
	if !ok {
		return nil
	}
	triggers, _, _ := unstructured.NestedSlice(object, "spec", "triggers")
	names := map[string]float64{}
	for _, trigger := range triggers {
		if name, ok := trigger.(map[string]any)["name"].(string); ok {
			names[name] = 1
		}
	}
	program, err := expr.Compile(text, expr.Env(names))
	if err != nil {
		return []string{"formula: " + err.Error()}
	}
	value, err := expr.Run(program, names)
	if err != nil {
		return []string{"formula: " + err.Error()}
	}
	if _, ok := value.(float64); !ok {
		return []string{"formula: it gives " + reflect.TypeOf(value).String() + ", not a number with decimals"}
	}
	used := program.Source().String()
	var unused []string
	for name := range names {
		if !strings.Contains(used, name) {
			unused = append(unused, "formula: it does not use "+name)
		}
	}
	sort.Strings(unused)
	return unused
}
