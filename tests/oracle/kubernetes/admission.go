package main

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/discovery"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/openapi"
	"k8s.io/client-go/openapi/openapitest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
)

// request is made by a user to a cluster.
type request struct {
	Operation   string          `json:"operation"`
	Resource    string          `json:"resource"`
	Subresource string          `json:"subresource"`
	Object      json.RawMessage `json:"object"`
	Old         json.RawMessage `json:"old"`
}

// cluster holds objects, and asks the admission policies among them.
type cluster struct {
	plugin  *validating.Plugin
	options admission.ObjectInterfaces
}

func restMapper() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, kind := range []string{"Pod", "ConfigMap", "ServiceAccount", "Service"} {
		mapper.Add(corev1.SchemeGroupVersion.WithKind(kind), meta.RESTScopeNamespace)
	}
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, meta.RESTScopeNamespace)
	return mapper
}

type allowAll struct{}

func (allowAll) Authorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionAllow, "", nil
}

func (allowAll) ConditionsAwareAuthorize(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionAllow, "", nil
}

func newCluster(texts []string) (*cluster, error) {
	var objects []runtime.Object
	for _, text := range texts {
		object, _, err := strict.Decode([]byte(text), nil, nil)
		if runtime.IsNotRegisteredError(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		legacyscheme.Scheme.Default(object)
		if namespace, ok := object.(*corev1.Namespace); ok {
			label(namespace)
		}
		objects = append(objects, object)
	}
	client := fake.NewClientset(objects...)
	factory := informers.NewSharedInformerFactory(client, 0)
	stop := make(chan struct{})
	plugin, err := validating.NewPlugin(nil)
	if err != nil {
		return nil, err
	}
	plugin.SetExternalKubeInformerFactory(factory)
	plugin.SetExternalKubeClientSet(client)
	plugin.SetDynamicClient(dynamicfake.NewSimpleDynamicClient(scheme.Scheme, objects...))
	plugin.SetRESTMapper(restMapper())
	plugin.SetAuthorizer(allowAll{})
	plugin.SetDrainedNotification(stop)
	if err := plugin.ValidateInitialization(); err != nil {
		return nil, err
	}
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	if !plugin.WaitForReady() {
		return nil, fmt.Errorf("the admission plugin is not ready")
	}
	return &cluster{plugin: plugin, options: admission.NewObjectInterfacesFromScheme(legacyscheme.Scheme)}, nil
}

// label does what the API server does to every namespace.
func label(namespace *corev1.Namespace) {
	if namespace.Labels == nil {
		namespace.Labels = map[string]string{}
	}
	namespace.Labels[corev1.LabelMetadataName] = namespace.Name
}

func decode(text json.RawMessage) (runtime.Object, *schema.GroupVersionKind, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil, nil
	}
	object, kind, err := strict.Decode(text, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	legacyscheme.Scheme.Default(object)
	if namespace, ok := object.(*corev1.Namespace); ok {
		label(namespace)
	}
	return object, kind, nil
}

// admit returns why a request is refused; nothing where it is let in.
func (c *cluster) admit(asked request) (string, error) {
	object, kind, err := decode(asked.Object)
	if err != nil {
		return "", err
	}
	old, _, err := decode(asked.Old)
	if err != nil {
		return "", err
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return "", err
	}
	resource := kind.GroupVersion().WithResource(asked.Resource)
	attributes := admission.NewAttributesRecord(object, old, *kind, accessor.GetNamespace(), accessor.GetName(), resource,
		asked.Subresource, admission.Operation(asked.Operation), nil, false, &user.DefaultInfo{Name: "somebody"})
	if err := c.plugin.Validate(context.Background(), attributes, c.options); err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// schemas are those that the API server publishes.
type schemas struct {
	discovery.DiscoveryInterface
}

func (schemas) OpenAPIV3() openapi.Client {
	return openapitest.NewEmbeddedFileClient()
}

// mistyped returns the warnings that the API server writes into the status of a policy.
func mistyped(policy *admissionv1.ValidatingAdmissionPolicy) []string {
	checker := validating.TypeChecker{
		SchemaResolver: &resolver.ClientDiscoveryResolver{Discovery: schemas{}},
		RestMapper:     restMapper(),
	}
	var found []string
	for _, warning := range checker.Check(policy) {
		found = append(found, warning.FieldRef+": "+warning.Warning)
	}
	return found
}
