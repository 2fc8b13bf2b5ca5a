{{- define "ergosphere.webhookSecret" -}}
{{ .Values.webhook.existingSecret | default (printf "%s-webhook" (include "ergosphere.name" .)) }}
{{- end }}

{{- /*
What identifies the webhook's certificate, as JSON: the data of its Secret, or the authority of one that others keep.
A certificate that is made here is kept in .Values, which all templates of a rendering share: they must agree.
*/}}
{{- define "ergosphere.webhookData" -}}
{{- if not (hasKey .Values "webhookData") }}
{{- $host := printf "%s.%s.svc" (include "ergosphere.name" .) .Release.Namespace }}
{{- $secret := include "ergosphere.webhookSecret" . }}
{{- $data := dict }}
{{- if .Values.webhook.existingSecret }}
{{- $data = dict "ca.crt" (required "webhook.existingSecret needs webhook.caBundle" .Values.webhook.caBundle) }}
{{- else if lookup "v1" "Secret" .Release.Namespace $secret }}
{{- $data = (lookup "v1" "Secret" .Release.Namespace $secret).data }}
{{- else }}
{{- $authority := genCA $secret 3650 }}
{{- $pair := genSignedCert $host nil (list $host (printf "%s.cluster.local" $host)) 3650 $authority }}
{{- $data = dict "tls.crt" ($pair.Cert | b64enc) "tls.key" ($pair.Key | b64enc) "ca.crt" ($authority.Cert | b64enc) }}
{{- end }}
{{- $_ := set .Values "webhookData" $data }}
{{- end }}
{{- toJson .Values.webhookData }}
{{- end }}
