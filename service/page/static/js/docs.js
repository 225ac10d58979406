/** Swagger UI on this service's own OpenAPI document. Nothing is validated elsewhere. */

window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
