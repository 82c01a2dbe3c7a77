// Swagger UI on our own description. The token entered under "Authorize" stays in this browser.
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  persistAuthorization: true,
  validatorUrl: null,
});
