package main

import (
	"context"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/resolver"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicy"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicybinding"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// strategies are what the API server asks before it stores an object.
var strategies = map[string]rest.RESTCreateStrategy{
	"ConfigMap":                        configmap.Strategy,
	"Deployment":                       deployment.Strategy,
	"LimitRange":                       limitrange.Strategy,
	"Namespace":                        namespace.Strategy,
	"NetworkPolicy":                    networkpolicy.Strategy,
	"PodDisruptionBudget":              poddisruptionbudget.Strategy,
	"ResourceQuota":                    resourcequota.Strategy,
	"Role":                             role.Strategy,
	"RoleBinding":                      rolebinding.Strategy,
	"Service":                          service.Strategy,
	"ServiceAccount":                   serviceaccount.Strategy,
	"ValidatingAdmissionPolicy":        validatingadmissionpolicy.NewStrategy(allowAll{}, resources),
	"ValidatingAdmissionPolicyBinding": validatingadmissionpolicybinding.NewStrategy(nil, nil, resources),
}

// resources finds the resource of a kind.
var resources = resolver.ResourceResolverFunc(func(kind schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	mapping, err := restMapper().RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return schema.GroupVersionResource{}, err
	}
	return mapping.Resource, nil
})

// problems returns why an API server would refuse to create an object, or warn about it.
func problems(definitions definitions, text []byte) []string {
	object, kind, err := decodeAny(text)
	if err != nil {
		return []string{err.Error()}
	}
	if definition, ok := definitions[kind.GroupKind()]; ok {
		return definition.problems(object, kind.Version)
	}
	typed, _, err := strict.Decode(text, nil, nil)
	if err != nil {
		return []string{err.Error()}
	}
	found := append([]string{}, refused(typed, *kind)...)
	switch typed := typed.(type) {
	case *appsv1.Deployment:
		found = append(found, insecure(&typed.Spec.Template)...)
	case *admissionv1.ValidatingAdmissionPolicy:
		found = append(found, mistyped(typed)...)
	}
	return found
}

// refused creates the object as the registry would, short of storing it.
func refused(typed runtime.Object, kind schema.GroupVersionKind) []string {
	strategy, ok := strategies[kind.Kind]
	if !ok {
		return []string{fmt.Sprintf("no strategy for %s", kind)}
	}
	legacyscheme.Scheme.Default(typed)
	internal, err := legacyscheme.Scheme.UnsafeConvertToVersion(typed, schema.GroupVersion{Group: kind.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return []string{err.Error()}
	}
	accessor, err := meta.Accessor(internal)
	if err != nil {
		return []string{err.Error()}
	}
	rest.FillObjectMetaSystemFields(accessor)
	ctx := genericapirequest.WithNamespace(context.Background(), accessor.GetNamespace())
	ctx = genericapirequest.WithUser(ctx, &user.DefaultInfo{Name: "somebody"})
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{APIGroup: kind.Group, APIVersion: kind.Version})
	if err := rest.BeforeCreate(strategy, ctx, internal); err != nil {
		return []string{err.Error()}
	}
	return strategy.WarningsOnCreate(ctx, internal)
}

// insecure returns what the Pod Security level `restricted` of the latest version forbids.
func insecure(template *corev1.PodTemplateSpec) []string {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	must(err)
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var found []string
	for _, result := range evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec) {
		if !result.Allowed {
			found = append(found, fmt.Sprintf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return found
}
